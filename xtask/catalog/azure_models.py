"""The models and enumerations of an `azure-mgmt-*` package, read with Python's `ast`: nothing of a package is executed.

Two generators wrote these packages: models with `_attribute_map` and `_validation`, and models with `rest_field`. Both give the
same rows here, named and nested as on the wire. This module does *not* know operations.
"""

import ast
import re

import neutral

# Python's types of attributes in the older packages, and ours.
OLD = {
    "str": ("string", {}), "int": ("integer", {}), "long": ("long", {}), "float": ("double", {}), "bool": ("boolean", {}),
    "iso-8601": ("timestamp", {"timestamp": "iso8601"}), "rfc-1123": ("timestamp", {"timestamp": "rfc822"}),
    "unix-time": ("timestamp", {"timestamp": "unixTimestamp"}), "duration": ("string", {}), "date": ("string", {}), "time": ("string", {}),
    "bytearray": ("blob", {}), "base64": ("blob", {}), "object": ("document", {}), "decimal": ("double", {}), "IO": ("blob", {}),
    "bytes": ("blob", {}), "any": ("document", {}), "JSON": ("document", {}), "uuid": ("string", {}),
}
FORMATS = {
    "rfc3339": ("timestamp", {"timestamp": "iso8601"}), "rfc7231": ("timestamp", {"timestamp": "rfc822"}),
    "unix-timestamp": ("timestamp", {"timestamp": "unixTimestamp"}), "base64": ("blob", {}), "base64url": ("blob", {}),
}
NEW = {
    "str": "string", "int": "long", "float": "double", "bool": "boolean", "datetime.datetime": "timestamp", "datetime.date": "string",
    "datetime.time": "string", "datetime.timedelta": "string", "Any": "document", "bytes": "blob", "decimal.Decimal": "double",
    "JSON": "document", "object": "document", "MutableMapping": "document", "None": "document",
}


def constant(node):
    return node.value if isinstance(node, ast.Constant) else None


def assigned(node):
    """Name and value of an assignment."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    return None, None


class Model:
    """One class: bases, members as on the wire, what tells subclasses apart."""

    def __init__(self, node):
        self.name = node.name
        self.bases = [b.rsplit(".", 1)[-1] for b in (ast.unparse(base).strip("\"'") for base in node.bases)]
        self.own = {}
        self.tells = None  # name on the wire of the member that tells subclasses apart
        self.told = next((constant(k.value) for k in node.keywords if k.arg == "discriminator"), None)
        self.subtypes = {}
        self.children = []
        attributes, validation, hints = {}, {}, enumerations(node)
        for statement in node.body:
            name, value = assigned(statement)
            if name in ("_attribute_map", "_validation", "_subtype_map") and value is not None:
                try:
                    said = ast.literal_eval(value)
                except ValueError:
                    continue
                if name == "_attribute_map":
                    attributes = said
                elif name == "_validation":
                    validation = said
                else:
                    for attribute, subtypes in said.items():
                        self.tells, self.subtypes = attribute, subtypes
            elif isinstance(statement, ast.AnnAssign) and isinstance(value, ast.Call) and isinstance(value.func, ast.Name) \
                    and value.func.id in ("rest_field", "rest_discriminator"):
                said = {k.arg: k.value for k in value.keywords}
                wire = constant(said.get("name")) or name.rstrip("_")
                visible = [constant(e) for e in said["visibility"].elts] if isinstance(said.get("visibility"), ast.List) else []
                self.own[wire] = {
                    "annotation": statement.annotation, "format": constant(said.get("format")),
                    "required": not ast.unparse(statement.annotation).strip("\"'").startswith("Optional"), "read_only": visible == ["read"],
                }
                if value.func.id == "rest_discriminator":
                    self.tells = self.tells or wire
        if self.tells in attributes:
            self.tells = attributes[self.tells]["key"]
        for attribute, said in attributes.items():
            limits = validation.get(attribute, {})
            self.own[said["key"]] = {
                "old": said["type"], "hint": hints.get(attribute), "required": limits.get("required"), "read_only": limits.get("readonly"),
                "pattern": limits.get("pattern"), "constant": limits.get("constant"),
                "min": limits.get("minimum", limits.get("min_length", limits.get("min_items"))),
                "max": limits.get("maximum", limits.get("max_length", limits.get("max_items"))),
            }


def enumerations(node):
    """Attributes that the class's documentation says are of an enumeration: attribute to name."""
    text = ast.get_docstring(node) or ""
    return {a: e for a, e in re.findall(r":(?:var|param)?type (\w+):\s+str\s+or\s+~[\w.]+\.models\.(\w+)", text)}


class Models:
    """All classes of one models folder."""

    def __init__(self, folder, report):
        self.models, self.enums = {}, {}
        self.label = ""
        for path in sorted(folder.glob("*.py")):
            if path.name in ("__init__.py", "_patch.py"):
                continue
            # Older packages have the same models twice; the annotated ones say more.
            if path.name == "_models.py" and (folder / "_models_py3.py").exists():
                continue
            try:
                tree = ast.parse(path.read_text(encoding="utf8"))
            except SyntaxError as error:
                report(f"{path.name}: {error}")
                continue
            for node in tree.body:
                if not isinstance(node, ast.ClassDef):
                    continue
                if any("Enum" in ast.unparse(base) for base in node.bases):
                    values = [constant(v) for n, v in map(assigned, node.body) if n and isinstance(constant(v), (str, int))]
                    self.enums[node.name] = tuple(str(v) for v in values)
                else:
                    self.models[node.name] = Model(node)
        for model in self.models.values():
            for base in model.bases:
                if base in self.models and base != model.name:
                    self.models[base].children.append(model.name)

    def members(self, name, seen=()):
        """Members of a class and its bases, the bases' first."""
        model = self.models.get(name)
        if model is None or name in seen:
            return {}
        found = {}
        for base in model.bases:
            found.update(self.members(base, (*seen, name)))
        found.update(model.own)
        return found

    def tells(self, name, seen=()):
        model = self.models.get(name)
        if model is None or name in seen:
            return None
        return model.tells or next((t for t in (self.tells(b, (*seen, name)) for b in model.bases) if t), None)

    def descendants(self, name, seen=None):
        seen = seen if seen is not None else {name}
        for child in self.models[name].children if name in self.models else ():
            if child not in seen:
                seen.add(child)
                yield child
                yield from self.descendants(child, seen)


class Shapes:
    """Models as shapes of a service. Models of several API versions may stand in one: names that clash get the version."""

    def __init__(self, types, report):
        self.types = types
        self.report = report
        self.made = {}

    def structure(self, models, name):
        key = (models.label, name)
        if key in self.made:
            return self.made[key]
        if name in models.enums:
            return self.types.scalar("string", values=models.enums[name])
        if name not in models.models:
            self.report(f"no model `{name}`")
            return self.types.scalar("document")
        members = models.members(name)
        below = list(models.descendants(name)) if models.tells(name) else []
        if not members and not below:
            # Nothing is known of what stands in it.
            self.made[key] = self.types.scalar("document")
            return self.made[key]
        wanted = name if name not in self.types.names else name + models.label
        at, row = self.types.structure(self.types.free_name(wanted))
        self.made[key] = at
        tells = models.tells(name)
        wire = {}
        for member, said in members.items():
            wire[member] = (said, self.type(models, said, row["name"], member))
        # What a value of a subclass may hold stands beside what all hold: its kind tells which of it is there.
        told = [models.models[c].told or told_by_map(models, name, c) for c in below]
        for child in below:
            for member, said in models.members(child).items():
                if member == tells:
                    continue
                shape = self.type(models, said, row["name"], member)
                if member not in wire:
                    wire[member] = ({**said, "required": False}, shape)
                elif wire[member][1] != shape:
                    wire[member] = ({**wire[member][0]}, self.types.scalar("document"))
        values = tuple(sorted({t for t in told if t} | ({models.models[name].told} if models.models[name].told else set())))
        if tells in wire and values:
            wire[tells] = (wire[tells][0], self.types.scalar("string", values=values))
        self.nest(row, wire)
        return at

    def nest(self, row, wire):
        """Members with their types; `properties.state` of the older packages is a member of a member on the wire."""
        inner = {}
        for key, (said, shape) in wire.items():
            parts = re.split(r"(?<!\\)\.", key)
            parts = [p.replace("\\", "") for p in parts]
            if len(parts) == 1 or parts[0].startswith("@"):
                plain = key.replace("\\", "")
                if plain == "":
                    plain = "additionalProperties"
                self.put(row, plain, said, shape)
            else:
                inner.setdefault(parts[0], {})[".".join(p.replace(".", "\\.") for p in parts[1:])] = (said, shape)
        for name, below in inner.items():
            if any(neutral.snake(m["name"]) == neutral.snake(name) for m in row["members"]):
                self.report(f"`{row['name']}.{name}` is both flattened and a member; the member is kept")
                continue
            at, under = self.types.structure(self.types.free_name(row["name"] + name[:1].upper() + name[1:]))
            self.nest(under, below)
            row["members"].append({"name": name, "shape": at, "required": any(s.get("required") and not s.get("read_only") for s, _ in below.values())})

    def put(self, row, name, said, shape):
        if neutral.is_secret(name):
            shape = self.types.sensitive(shape)
        if any(neutral.snake(m["name"]) == neutral.snake(name) for m in row["members"]):
            self.report(f"`{row['name']}` has two members `{neutral.snake(name)}`; the first is kept")
            return
        read_only = said.get("read_only")
        row["members"].append({
            "name": name, "shape": shape, "required": said.get("required") and not read_only and said.get("constant") is None, "read_only": read_only,
        })

    def type(self, models, said, owner, member):
        if "old" in said:
            limits = {k: said.get(k) for k in ("min", "max", "pattern")}
            return self.old(models, said["old"], said.get("hint"), limits)
        return self.new(models, said["annotation"], said.get("format"))

    def old(self, models, text, hint=None, limits=None):
        """A type of `_attribute_map` or of the serializer: `[str]`, `{Name}`, `Name`."""
        text = text.strip()
        if text.startswith("[") and text.endswith("]"):
            return self.types.list(self.old(models, text[1:-1]))
        if text.startswith("{") and text.endswith("}"):
            return self.types.map(self.old(models, text[1:-1]))
        if text in OLD:
            kind, more = OLD[text]
            if kind == "string" and hint in models.enums:
                return self.types.scalar("string", values=models.enums[hint])
            limits = {k: v for k, v in (limits or {}).items() if k != "pattern" or kind == "string"} if kind in ("string", "integer", "long", "double") else {}
            return self.types.scalar(kind, **more, **limits)
        return self.structure(models, text.rsplit(".", 1)[-1])

    def new(self, models, node, form=None):
        """A type of an annotation."""
        types = self.types
        if form in FORMATS:
            text = ast.unparse(node)
            if "list" not in text.lower() and "dict" not in text.lower():
                return types.scalar(FORMATS[form][0], **FORMATS[form][1])
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self.new(models, ast.parse(node.value, mode="eval").body)
            return types.scalar("document")
        if isinstance(node, ast.Subscript):
            head = ast.unparse(node.value).rsplit(".", 1)[-1]
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if head == "Optional":
                return self.new(models, inside[0], form)
            if head in ("list", "List", "Sequence", "Iterable", "ItemPaged"):
                return types.list(self.new(models, inside[0], form))
            if head in ("dict", "Dict", "Mapping", "MutableMapping"):
                return types.map(self.new(models, inside[1], form))
            if head == "Literal":
                values = [constant(e) if isinstance(e, ast.Constant) else self.enum_value(models, e) for e in inside]
                return types.scalar("string", values=tuple(str(v) for v in values if v is not None)) if all(isinstance(v, str) for v in values) else types.scalar("string")
            if head == "Union":
                return self.union(models, inside, form)
            self.report(f"the type `{ast.unparse(node)}` taken as JSON")
            return types.scalar("document")
        text = ast.unparse(node)
        if text.startswith(("_models.", "models.", "_models1.", "_models2.", "_models3.")) or re.match(r"_\w*models\w*\.", text):
            return self.structure(models, text.rsplit(".", 1)[-1])
        if text in NEW:
            kind = NEW[text]
            return types.scalar(kind, timestamp="iso8601" if kind == "timestamp" else None)
        if text in models.models or text in models.enums:
            return self.structure(models, text)
        if not text.startswith(("_types.", "_unions.", "IO")):
            self.report(f"the type `{text}` taken as JSON")
        return types.scalar("document")

    def enum_value(self, models, node):
        """`_models.Kind.FIRST`: the value is the name of the constant, which the enumeration holds in another spelling."""
        parts = ast.unparse(node).split(".")
        if len(parts) >= 2 and parts[-2] in models.enums:
            plain = parts[-1].replace("_", "").lower()
            return next((v for v in models.enums[parts[-2]] if re.sub(r"[^a-z0-9]", "", v.lower()) == plain), None)
        return None

    def union(self, models, parts, form):
        """`Union[str, Enum]` is the enumeration; of a model and its raw forms the model; of several things JSON."""
        texts = [constant(p) if isinstance(constant(p), str) else ast.unparse(p) for p in parts]
        for text in texts:
            name = text.rsplit(".", 1)[-1]
            if name in models.enums and re.match(r"(_\w*models\w*\.)?\w+$", text):
                return self.types.scalar("string", values=models.enums[name])
        kept = [p for p, t in zip(parts, texts) if not t.startswith(("_types.", "IO", "JSON", "_unions."))]
        if len(kept) == 1:
            return self.new(models, kept[0], form)
        return self.types.scalar("document")


def told_by_map(models, base, child):
    """The value that stands for a subclass in the older packages."""
    for name in (base, *models.models[base].bases, *models.descendants(base)):
        if name in models.models:
            for value, target in models.models[name].subtypes.items():
                if target == child:
                    return value
    return None
