"""JSON Schemas of what is on disk, from the types that are written there.

    python3 xtask/schemas.py            # writes the schemas of programs, of what runs them unattended, and of journals
    python3 xtask/schemas.py --check    # says whether they are what it would write

Reads the types of `compiler/ir` as text: they are plain structs and enums that serde derives, and what this script does not
know it refuses. On disk they are CBOR with these members; a schema describes the same as JSON. It judges no value.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = [
    "compiler/ir/src/program.rs",
    "compiler/ir/src/types.rs",
    "compiler/ir/src/value.rs",
    "compiler/ir/src/secret.rs",
    "compiler/ir/src/standing.rs",
    "compiler/ir/src/plan.rs",
    "compiler/ir/src/journal.rs",
    "catalog/src/model.rs",
]
# What each file on disk holds: schema, title, its type.
FILES = [
    ("ir", "A compiled playbook: what `escher compile` writes.", "Program"),
    ("standing", "A template, a schedule or a trigger with the program that it runs: what `escher compile` writes of one.", "Standing"),
    ("journal", "Events of a run that became durable together.", "Segment"),
]
INTEGER = {"type": "integer"}
TEXT = {"type": "string"}
LEAVES = {
    "bool": {"type": "boolean"},
    "f64": {"type": "number"},
    "i64": INTEGER,
    "u16": {**INTEGER, "minimum": 0, "maximum": 65535},
    "u32": {**INTEGER, "minimum": 0, "maximum": 4294967295},
    "u64": {**INTEGER, "minimum": 0},
    "String": TEXT,
    "str": TEXT,
    "Decimal": {**TEXT, "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "SignedDuration": {**TEXT, "description": "ISO 8601"},
    "Timestamp": {**TEXT, "format": "date-time"},
    "civil::Date": {**TEXT, "format": "date"},
    "Digest": {**TEXT, "pattern": "^sha256:[0-9a-f]{64}$"},
}
# Written as another type, and nothing more.
WRITTEN_AS = {"Secret": "SecretFrom"}
BYTE = {**INTEGER, "minimum": 0, "maximum": 255}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def split(text, at=","):
    """Splits where no bracket is open."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += c in "<([{"
        depth -= c in ">)]}"
        if c == at and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += c
    return [p.strip() for p in [*parts, part] if p.strip()]


def body(text, start):
    """What stands between the brace or parenthesis at `start` and its partner, and where it ends."""
    depth = 0
    for at in range(start, len(text)):
        depth += text[at] in "{("
        depth -= text[at] in "})"
        if depth == 0:
            return text[start + 1 : at], at + 1
    raise SystemExit("a bracket is never closed")


def read():
    """Types by name: kind, body, whether serde renames to snake case."""
    types = {}
    for source in SOURCES:
        text = (ROOT / source).read_text()
        for found in re.finditer(r"((?:#\[[^\n]*\]\n)*)pub (struct|enum) (\w+)", text):
            if "Serialize" not in found[1]:
                continue
            after = text[found.end() :].lstrip()
            if not after.startswith("{"):
                continue
            inner, _ = body(text, text.index("{", found.end()))
            snake_case = "rename_all" in found[1]
            # The catalogue has types of the same names, which are written nowhere.
            types.setdefault(found[3], (found[2], inner, snake_case))
    return types


def doc(lines):
    words = [line.strip()[3:].strip() for line in lines.splitlines() if line.strip().startswith("///")]
    return " ".join(words)


class Schemas:
    def __init__(self):
        self.types = read()
        self.made = {}

    def of(self, rust):
        rust = rust.strip()
        rust = WRITTEN_AS.get(rust, rust)
        if rust in LEAVES:
            return LEAVES[rust]
        if generic := re.fullmatch(r"(\w+)<(.*)>", rust, re.S):
            outer, inner = generic[1], split(generic[2])
            if outer in ("Box", "Arc"):
                return {"type": "array", "items": BYTE} if inner[0] == "[u8]" else self.of(inner[0])
            if outer == "Option":
                return {"anyOf": [self.of(inner[0]), {"type": "null"}]}
            if outer == "Vec":
                return {"type": "array", "items": self.of(inner[0])}
            if outer == "Named":
                return {"type": "object", "additionalProperties": self.of(inner[0])}
            if outer == "BTreeMap":
                schema = {"type": "object", "additionalProperties": self.of(inner[1])}
                key = self.of(inner[0])
                return schema if key == TEXT else {**schema, "propertyNames": key}
        if rust.startswith("("):
            return self.tuple(split(rust[1:-1]))
        if rust in self.types:
            if rust not in self.made:
                self.made[rust] = None
                self.made[rust] = self.type(rust)
            return {"$ref": f"#/$defs/{rust}"}
        raise SystemExit(f"unknown type {rust}")

    def tuple(self, parts):
        items = [self.of(p) for p in parts]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def members(self, inner):
        properties, required = {}, []
        member = r"((?:^[ \t]*///[^\n]*\n)*)((?:^[ \t]*#\[[^\n]*\n)*)^[ \t]*(?:pub )?(\w+): "
        for found in re.finditer(member, inner, re.M):
            before = re.sub(r"///[^\n]*|//[^\n]*", "", inner[: found.start(3)])
            if before.count("{") != before.count("}"):
                continue
            rest = re.sub(r"//[^\n]*", "", inner[found.end() :])
            schema = self.of(split(rest)[0])
            if words := doc(found[1]):
                schema = {**schema, "description": words}
            properties[found[3]] = schema
            if "skip_serializing_if" not in found[2]:
                required.append(found[3])
        return {
            "type": "object",
            "properties": properties,
            "required": sorted(required),
            "additionalProperties": False,
        }

    def type(self, name):
        kind, inner, snake_case = self.types[name]
        if kind == "struct":
            return self.members(inner)
        plain, other = [], []
        at = 0
        pattern = re.compile(r"((?:\s*///[^\n]*\n)*)\s*(?:#\[[^\n]*\]\s*)*(\w+)\s*")
        while found := pattern.match(inner, at):
            word = snake(found[2]) if snake_case else found[2]
            at = found.end()
            if at < len(inner) and inner[at] == "{":
                fields, at = body(inner, at)
                content = self.members(fields)
            elif at < len(inner) and inner[at] == "(":
                fields, at = body(inner, at)
                parts = split(fields)
                content = self.of(parts[0]) if len(parts) == 1 else self.tuple(parts)
            else:
                content = None
            if content is None:
                plain.append(word)
            else:
                variant = {"type": "object", "properties": {word: content}, "required": [word]}
                other.append({**variant, "additionalProperties": False})
            at = re.compile(r"\s*,?").match(inner, at).end()
        if re.sub(r"//[^\n]*", "", inner[at:]).strip():
            raise SystemExit(f"{name}: not understood: {inner[at:at + 60]!r}")
        variants = [{"enum": plain}] * bool(plain) + other
        return variants[0] if len(variants) == 1 else {"oneOf": variants}

    def file(self, name, title, root):
        self.made = {}
        top = self.of(root)
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"escher.{name}/1",
            "title": title,
            **top,
            "$defs": {name: self.made[name] for name in sorted(self.made)},
        }
        return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main():
    schemas, wrong = Schemas(), []
    for name, title, root in FILES:
        path = ROOT / f"schemas/{name}.schema.json"
        text = schemas.file(name, title, root)
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            wrong.append(path.name)
    if wrong:
        raise SystemExit(f"not what the types say: {', '.join(wrong)}; run `python3 xtask/schemas.py`")


main()
