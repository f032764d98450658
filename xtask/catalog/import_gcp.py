"""Writes `catalog/data/gcp.bin` from the discovery documents inside `google-api-python-client`. Nothing of it is executed.

Every API whose methods take the cloud-platform scope, in its preferred stable version, and the versions of `BESIDE` beside them.
The same package gives the same bytes. It does *not* judge what a method does: `catalog/src/class` does.
"""

import json
import re

import neutral

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

# Versions that are the API under its plain name, where the directory's preferred one is stable but old.
MAIN = {
    "cloudfunctions": "v2", "cloudresourcemanager": "v3", "jobs": "v4", "notebooks": "v2", "run": "v2", "tpu": "v2",
}

# Versions that are needed beside the one under the plain name, with the reason.
BESIDE = {
    "cloudbuild:v2": "connections to repositories are in no other version",
    "cloudfunctions:v1": "functions of the first generation",
    "cloudresourcemanager:v1": "ancestry and organisation policies of projects are in no later version",
    "container:v1beta1": "features of clusters that v1 does not have yet",
    "dialogflow:v3": "Dialogflow CX, another product than v2",
    "iam:v2": "deny policies are in no other version",
    "notebooks:v1": "instances that were made by it, and its schedules and executions",
    "osconfig:v2": "policy orchestrators are in no other version",
    "run:v1": "domain mappings are in no later version",
    "serviceusage:v1beta1": "overrides of consumer quotas are in no other version",
}

PERMISSION = re.compile(r"`([a-z][a-z0-9]+(?:\.[a-zA-Z][A-Za-z0-9]*){2})`")
READ_ONLY = re.compile(r"\s*\[?(?:output[ -]only)", re.I)


def rank(version):
    """Orders the versions of an API: stable ones above betas above alphas, then by number."""
    numbers = re.search(r"v(\d+)", version)
    stage = 0 if "alpha" in version else 1 if "beta" in version else 2
    return stage, int(numbers.group(1)) if numbers else 0, version


def documents(folder):
    """The documents to import, as (service name, parsed document), sorted; and what was left out with the reason."""
    # The directory inside the package knows only a part of its documents.
    index = json.loads((folder / "index.json").read_text())
    preferred = {item["name"]: item["version"] for item in index["items"] if item.get("preferred")}
    apis, left = {}, []
    for path in sorted(folder.glob("*.json")):
        if path.name == "index.json":
            continue
        document = json.loads(path.read_text())
        if any(SCOPE in m.get("scopes", ()) for _, m in methods(document)):
            apis.setdefault(document["name"], {})[document["version"]] = document
        else:
            left.append((document["id"], "no method with the cloud-platform scope"))
    chosen = []
    for name in sorted(apis):
        versions = apis[name]
        best = preferred.get(name)
        if best not in versions or rank(best)[0] < rank(max(versions, key=rank))[0]:
            best = max(versions, key=rank)
        best = MAIN.get(name, best)
        for version in sorted(versions):
            if version == best:
                chosen.append((neutral.snake(name), versions[version]))
            elif f"{name}:{version}" in BESIDE:
                chosen.append((f"{neutral.snake(name)}_{neutral.snake(version)}", versions[version]))
            else:
                left.append((f"{name}:{version}", f"`{best}` is imported"))
    return sorted(chosen, key=lambda row: row[0]), sorted(left)


def methods(document):
    """All methods with their names below the API: `instances.stop`."""
    def below(node, prefix):
        for name in sorted(node.get("methods", {})):
            yield prefix + name, node["methods"][name]
        for name in sorted(node.get("resources", {})):
            yield from below(node["resources"][name], f"{prefix}{name}.")
    yield from below(document, "")


class Reader:
    """One document."""

    def __init__(self, document, report):
        self.document = document
        self.report = report
        self.schemas = document.get("schemas", {})
        self.types = neutral.Types()
        self.references = {}

    def reference(self, name):
        if name not in self.references:
            schema = self.schemas.get(name)
            if schema is None:
                self.report(f"no schema `{name}`")
                return self.types.scalar("document")
            if schema.get("type") == "object" and schema.get("properties"):
                at, row = self.types.structure(self.types.free_name(name))
                self.references[name] = at
                self.fill(row, schema)
            else:
                # Not kept before it is made: a schema that is a list of itself would have no end.
                self.references[name] = self.types.scalar("document")
                self.references[name] = self.type(schema, name)
        return self.references[name]

    def fill(self, row, schema):
        for name, value in schema["properties"].items():
            at = self.type(value, row["name"] + name[:1].upper() + name[1:])
            if neutral.is_secret(name):
                at = self.types.sensitive(at)
            description = value.get("description", "")
            row["members"].append({"name": name, "shape": at, "read_only": value.get("readOnly") or bool(READ_ONLY.match(description))})

    def type(self, schema, name):
        types = self.types
        if "$ref" in schema:
            return self.reference(schema["$ref"])
        kind, form = schema.get("type", "any"), schema.get("format")
        if kind == "array":
            return types.list(self.type(schema["items"], name))
        if kind == "object":
            if schema.get("properties"):
                at, row = types.structure(types.free_name(name))
                self.fill(row, schema)
                return at
            if "additionalProperties" in schema:
                return types.map(self.type(schema["additionalProperties"], name))
            return types.scalar("document")
        bounds = {"min": schema.get("minimum"), "max": schema.get("maximum")}
        if kind == "string":
            if form in ("int64", "uint64"):
                return types.scalar("long", as_text=True, **bounds)
            if form in ("google-datetime", "date-time"):
                return types.scalar("timestamp", timestamp="iso8601")
            if form == "byte":
                return types.scalar("blob")
            if form not in (None, "google-duration", "google-fieldmask", "date"):
                self.report(f"text of the unknown format `{form}` taken as plain text")
            values = tuple(schema.get("enum", ()))
            return types.scalar("string", values=values, pattern=schema.get("pattern"))
        if kind == "integer":
            return types.scalar("integer" if form == "int32" else "long", **bounds)
        if kind == "number":
            return types.scalar("float" if form == "float" else "double")
        if kind == "boolean":
            return types.scalar("boolean")
        if kind != "any":
            self.report(f"the unknown type `{kind}` taken as JSON")
        return types.scalar("document")

    def input(self, official, method):
        parameters = method.get("parameters", {})
        request = method.get("request")
        if not parameters and not request:
            return None
        at, row = self.types.structure(self.types.free_name("".join(p[:1].upper() + p[1:] for p in official.split(".")) + "Request"))
        order = method.get("parameterOrder", [])
        names = order + sorted(n for n in parameters if n not in order)
        for name in names:
            value = parameters[name]
            shape = self.type(value, row["name"] + name)
            if value.get("repeated"):
                shape = self.types.list(shape)
            row["members"].append({
                "name": name, "shape": shape, "required": value.get("required"), "location": value["location"],
                "token": name == "requestId" and value["location"] == "query",
            })
        if request:
            if "body" in parameters:
                self.report(f"`{official}` has a parameter `body` beside its body")
            row["members"].append({"name": "body", "shape": self.type(request, row["name"] + "Body")})
            row["payload"] = "body"
        return at

    def paging(self, method):
        schema = self.schemas.get(method.get("response", {}).get("$ref"), {})
        properties = schema.get("properties", {})
        request = self.schemas.get(method.get("request", {}).get("$ref"), {}).get("properties", {})
        if "nextPageToken" not in properties:
            return None
        where = "" if "pageToken" in method.get("parameters", {}) else "body." if "pageToken" in request else None
        if where is None:
            return None
        results = [n for n, p in properties.items() if p.get("type") == "array" and n not in ("unreachable", "unreachables", "warnings")]
        results += [n for n, p in properties.items() if n == "items" and p.get("type") == "object"]
        limits = [n for n in ("maxResults", "pageSize") if n in (request if where else method.get("parameters", {}))]
        return {"input_token": [where + "pageToken"], "output_token": ["nextPageToken"], "result_key": results or [],
                "limit_key": [where + limits[0]] if limits else []}

    def completion(self, official, method, polls):
        """How the operation that a method answers with is waited for: the family, and the method that asks for it."""
        name = method.get("response", {}).get("$ref")
        schema = self.schemas.get(name, {})
        properties = schema.get("properties", {})
        if not re.search(r"(?:^|Longrunning)Operation$", name or "") or method["httpMethod"] == "GET":
            return None
        resource = official.rsplit(".", 1)[0]
        if re.search(r"(?:^|\.)\w*[oO]perations$", resource):
            return None
        if "done" in properties:
            family = "google-longrunning"
            mine = resource.split(".")

            def rank(poll):
                theirs = poll.split(".")[:-2]
                common = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), min(len(mine), len(theirs)))
                return (-common, len(theirs), poll)
            found = sorted((p for p in polls if p.endswith("perations.get")), key=rank)
            return family, found[0] if found else None
        if "status" in properties:
            family = "google-status"
            parameters = method.get("parameters", {})
            wanted = ["zoneOperations.get"] if "zone" in parameters else ["regionOperations.get"] if "region" in parameters else []
            wanted += ["globalOperations.get"]
            if "parentId" in parameters:
                wanted.insert(0, "globalOrganizationOperations.get")
            if "name" in parameters or "parent" in parameters:
                wanted += ["projects.locations.operations.get"]
            wanted += ["projects.zones.operations.get", "operations.get"]
            return family, next((p for p in wanted if p in polls), None)
        self.report(f"`{official}` answers with an operation of no known family")
        return None


def service(document, report):
    """Rows of one API: meta, types, operations sorted by the names that people write, documentation by name."""
    reader = Reader(document, report)
    rows, documentation = [], {}
    found = list(methods(document))
    polls = {official for official, m in found if m["httpMethod"] == "GET" and m.get("response", {}).get("$ref", "").endswith("Operation")}
    for official, method in found:
        response = method.get("response")
        upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple", {}).get("path") if method.get("supportsMediaUpload") else None
        description = method.get("description", "")
        service_name = document["name"]
        permissions = sorted({p for p in PERMISSION.findall(description) if p.split(".")[0] not in ("google", "www")})
        rows.append({
            "official": official, "method": method["httpMethod"], "uri": "/" + document.get("servicePath", "") + method["path"],
            "input": reader.input(official, method), "output": reader.type(response, official + "Response") if response else None,
            "paging": reader.paging(method), "completion": reader.completion(official, method, polls), "deprecated": method.get("deprecated"),
            "api_version": method.get("apiVersion"), "upload": upload, "download": method.get("supportsMediaDownload"),
            "permissions": permissions if len(permissions) == 1 or service_name == "cloudresourcemanager" else permissions[:0],
        })
        documentation[neutral.operation_name(official)] = (method["httpMethod"], rows[-1]["uri"], description)
    rows.sort(key=lambda row: neutral.operation_name(row["official"]))
    host = re.sub(r"^https?://|/$", "", document["rootUrl"])
    meta = {"id": document["id"], "title": document.get("title", document["name"]), "version": document["version"], "host": host}
    return meta, reader.types, rows, documentation


def collect(folder, report):
    """All services as (name, operations, raw bytes), their names, counts, and the documentation of each operation."""
    done, names, documentation, shapes = [], [], {}, 0
    chosen, left = documents(folder)
    for name, why in left:
        report(name, f"left out: {why}")
    for name, document in chosen:
        meta, types, rows, texts = service(document, lambda what, name=name: report(name, what))
        if not rows:
            report(name, "no methods")
            continue
        written = [neutral.operation_name(row["official"]) for row in rows]
        if len(set(written)) != len(written):
            raise ValueError(f"{name}: two operations of one name")
        done.append((name, len(rows), neutral.chunk("gcp", meta, types, rows)))
        names += [f"gcp.{name}.{operation}" for operation in written]
        documentation.update({f"gcp.{name}.{operation}": text for operation, text in texts.items()})
        shapes += len(types.rows)
    return done, names, {"services": len(done), "operations": len(names), "shapes": shapes}, documentation
