"""Writes `catalog/data/`: a file per cloud, the commands of `az`, `PROVENANCE.json`, and `REPORT.txt` with what could not be read.

Run by `cargo xtask catalog`, never in CI. The same packages give the same bytes: no clock, no order but sorted ones, and nothing
of a package is executed but botocore's own loader.
"""

import argparse
import hashlib
import json
import pathlib
import re
import shutil
import zipfile

import import_aws
import import_az
import import_azure
import import_gcp
import pack
import zstandard


def unpack(wheels, folder):
    """The wheels as folders, without asynchronous twins and tests; and what each says of itself."""
    shutil.rmtree(folder, ignore_errors=True)
    sources = []
    for wheel in sorted(wheels.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        with zipfile.ZipFile(wheel) as archive:
            kept = [f for f in archive.namelist() if "/aio/" not in f and "/tests/" not in f and not f.startswith(("/", ".."))]
            archive.extractall(folder / name, members=kept)
            metadata = next(f for f in archive.namelist() if f.endswith(".dist-info/METADATA"))
            text = archive.read(metadata).decode("utf8", "replace")
        found = re.search(r"^(?:License-Expression|License): *(.+)$", text, re.M)
        sources.append({
            "package": name.replace("_", "-"), "registry": "pypi", "version": version, "licence": found.group(1).strip() if found else "unknown",
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        })
    return sources


def main():
    arguments = argparse.ArgumentParser()
    for name, what in (
        ("levels", "unpacked iam-floyd package"), ("wheels", "folder of the packages"), ("work", "folder to unpack into"),
        ("out", "folder to write to"), ("sources", "JSON list of AWS's packages"), ("taken", "date of the packages"),
    ):
        arguments.add_argument(f"--{name}", required=True, help=what)
    arguments.add_argument("--documentation", help="file for method, path and documentation of each operation, for labelling")
    given = arguments.parse_args()
    work, out = pathlib.Path(given.work), pathlib.Path(given.out)
    sources = unpack(pathlib.Path(given.wheels), work)
    report = {"azure": [], "gcp": [], "az": []}
    aws, extra, aws_names, aws_counts = import_aws.collect(given.levels)
    azure = import_azure.collect(work, lambda who, what: report["azure"].append((who, what)))
    google = next(p for p in work.glob("google_api_python_client/googleapiclient/discovery_cache/documents"))
    gcp = import_gcp.collect(google, lambda who, what: report["gcp"].append((who, what)))
    provenance = {}
    commands = import_az.collect(
        work, azure[3], lambda name, path: import_azure.resolves(azure[4], name, path), lambda who, what: report["az"].append((who, what)),
    )
    for cloud, done, beside, names, counts, packages in (
        ("aws", aws, extra, aws_names, aws_counts, json.loads(pathlib.Path(given.sources).read_text())),
        ("azure", azure[0], b"", azure[1], azure[2], [s for s in sources if s["package"].startswith("azure-mgmt-")]),
        ("gcp", gcp[0], b"", gcp[1], gcp[2], [s for s in sources if s["package"].startswith("google-")]),
    ):
        data = pack.container(cloud, done, beside)
        (out / f"{cloud}.bin").write_bytes(data)
        provenance[f"{cloud}.bin"] = {
            "taken": given.taken, "counts": counts, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
            # Of all full names as the importer derives them, one a line: the reader's own derivation is tested against it.
            "names_sha256": hashlib.sha256("".join(n + "\n" for n in sorted(names)).encode()).hexdigest(), "sources": packages,
        }
        print(cloud, json.dumps(counts), len(data), "bytes")
    data = zstandard.ZstdCompressor(level=pack.LEVEL).compress("".join(row + "\n" for row in commands).encode())
    (out / "az.zst").write_bytes(data)
    provenance["az.zst"] = {
        "taken": given.taken, "counts": {"commands": len({row.split("|")[0] for row in commands}), "rows": len(commands)}, "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), "sources": [s for s in sources if s["package"] == "azure-cli"],
    }
    (out / "PROVENANCE.json").write_text(provenance_text(provenance))
    (out / "REPORT.txt").write_text(report_text(report))
    if given.documentation:
        pathlib.Path(given.documentation).write_text(json.dumps({**azure[3], **gcp[3]}))


def provenance_text(provenance):
    """JSON with a line a package."""
    files = []
    for name, said in provenance.items():
        packages = ",\n".join("      " + json.dumps(p) for p in said["sources"])
        rows = [f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in said.items() if k != "sources"]
        files.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(rows) + f",\n    \"sources\": [\n{packages}\n    ]\n  }}")
    return "{\n" + ",\n".join(files) + "\n}\n"


def report_text(report):
    lines = ["# What the importer left out or could not read, and why. Written by `cargo xtask catalog`."]
    for cloud, rows in report.items():
        lines += ["", f"## {cloud}: {len(rows)}"]
        lines += [f"{who}: {what}" for who, what in sorted(set(rows))]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
