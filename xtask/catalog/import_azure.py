"""Writes `catalog/data/azure.bin` from `azure-mgmt-*` packages, read with Python's `ast`: nothing of a package is executed.

A package's client is a service, its operation groups are the groups of the names. The same packages give the same bytes. What
cannot be read is reported; it does *not* judge what an operation does: `catalog/src/class` does.
"""

import ast
import pathlib
import re

import azure_models
import neutral
from azure_models import constant

GROUP = re.compile(r"^_?(\w+?)Operations(?:Mixin)?$")
WHERE = {"_params": "query", "query_parameters": "query", "_query_parameters": "query", "_headers": "header", "header_parameters": "header",
         "_header_parameters": "header"}
VERBS = {"get": "GET", "put": "PUT", "post": "POST", "patch": "PATCH", "delete": "DELETE", "head": "HEAD"}
VERSIONED = re.compile(r"^v\d{4}_\d\d_\d\d")


def builder(node):
    """What a `build_…_request` function says of the request: method, URL, parameters, API version."""
    found = {"url": None, "method": None, "version": None, "parameters": {}}
    positional = [a.arg for a in node.args.args]
    needed = set(positional[: len(positional) - len(node.args.defaults)])
    needed |= {a.arg for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults) if d is None}
    hints = {a.arg: a.annotation for a in node.args.args + node.args.kwonlyargs}
    for part in ast.walk(node):
        name, value = azure_models.assigned(part)
        if name in ("_url", "url") and found["url"] is None:
            if isinstance(constant(value), str):
                found["url"] = constant(value)
            elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "pop" and len(value.args) == 2:
                found["url"] = constant(value.args[1])
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Subscript) and isinstance(part.targets[0].value, ast.Name):
            where = WHERE.get(part.targets[0].value.id)
            if where and isinstance(part.value, ast.Call):
                parameter(found, where, constant(part.targets[0].slice), part.value, needed, hints)
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values):
                if key is not None and isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "url":
                    parameter(found, "path", constant(key), value, None, hints)
        if isinstance(part, ast.Call):
            if isinstance(part.func, ast.Name) and part.func.id == "HttpRequest":
                for keyword in part.keywords:
                    if keyword.arg == "method":
                        found["method"] = constant(keyword.value)
                    elif keyword.arg == "url" and found["url"] is None:
                        found["url"] = constant(keyword.value)
            if isinstance(part.func, ast.Attribute) and part.func.attr == "pop" and len(part.args) == 2 and constant(part.args[0]) == "api-version":
                found["version"] = found["version"] or constant(part.args[1])
        if name == "api_version" and isinstance(constant(value), str):
            found["version"] = found["version"] or constant(value)
    return found


def parameter(found, where, wire, call, needed, hints):
    """A parameter out of a call of the serializer: `_SERIALIZER.query("filter", filter, "str", …)`."""
    arguments = call.args
    if not wire or len(arguments) < 3 or not isinstance(constant(arguments[0]), str):
        return
    python = constant(arguments[0])
    said = {k.arg: constant(k.value) for k in call.keywords}
    found["parameters"].setdefault((where, wire), {
        "python": python, "old": constant(arguments[2]) or "str", "required": where == "path" or python in needed,
        "min": said.get("minimum", said.get("min_length")), "max": said.get("maximum", said.get("max_length")), "pattern": said.get("pattern"),
        "raw": bool(said.get("skip_quote")), "hint": hints.get(python), "constant": constant(arguments[1]) if len(arguments) > 1 else None,
    })


class Client:
    """One client of a package: its service name and the folders of its API versions."""

    def __init__(self, name, folder, report):
        self.name, self.folder, self.report = name, folder, report
        self.types = neutral.Types()
        self.shapes = azure_models.Shapes(self.types, report)
        self.rows, self.documentation = {}, {}
        self.unread = []

    def groups(self):
        """Folders of operations to read, each with the groups wanted of it (None: all)."""
        if (self.folder / "operations").is_dir():
            return [(self.folder, None, "")]
        versions = sorted(d for d in self.folder.iterdir() if VERSIONED.match(d.name) and (d / "operations").is_dir())
        default, profile = self.profile()
        chosen = []
        for version in versions:
            label = version.name[1:].replace("_", "-")
            wanted = {g for g, v in profile.items() if v == label}
            if default is None or label == default:
                wanted = None if label == default else wanted
            if wanted or label == default:
                chosen.append((version, (wanted, set(profile) if label == default else set()), version.name))
        if not chosen and versions:
            chosen = [(versions[-1], None, versions[-1].name)]
            self.report(f"no profile of API versions; the last of {len(versions)} is taken")
        return chosen

    def profile(self):
        """The API version of each operation group, as the client's own default profile says."""
        for path in sorted(self.folder.glob("_*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
                if not isinstance(node, ast.ClassDef):
                    continue
                default, profile = None, None
                for statement in node.body:
                    name, value = azure_models.assigned(statement)
                    if name == "DEFAULT_API_VERSION":
                        default = constant(value)
                    if name == "LATEST_PROFILE":
                        profile = {
                            constant(k): constant(v) for d in ast.walk(value) if isinstance(d, ast.Dict)
                            for k, v in zip(d.keys, d.values) if isinstance(constant(k), str) and isinstance(constant(v), str)
                        }
                if profile is not None:
                    return default, profile
        return None, {}

    def read(self):
        for folder, wanted, label in self.groups():
            models = azure_models.Models(folder / "models", self.report) if (folder / "models").is_dir() else None
            if models is None:
                models = azure_models.Models(folder / "operations", self.report)
                models.models.clear()
            models.label = label
            for path in sorted((folder / "operations").glob("*.py")):
                if path.name in ("__init__.py", "_patch.py"):
                    continue
                self.operations(path, models, wanted)

    def operations(self, path, models, wanted):
        tree = ast.parse(path.read_text(encoding="utf8"))
        builders = {n.name: builder(n) for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("build_")}
        for node in tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            group = GROUP.match(node.name)
            if not group and not (node.name == "Operations"):
                continue
            group = "Operations" if node.name == "Operations" else group.group(1)
            mixin = node.name.endswith("Mixin")
            if wanted is not None:
                (only, others), attribute = wanted, neutral.snake(group)
                if only is not None and attribute not in only:
                    continue
                if only is None and attribute in others:
                    continue
            methods, templates = {}, {}
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    methods[method.name] = method  # the last of the overloads has the body
                elif isinstance(method, ast.Assign) and ast.unparse(method.targets[0]).endswith(".metadata") and isinstance(method.value, ast.Dict):
                    templates[ast.unparse(method.targets[0]).removesuffix(".metadata")] = constant(method.value.values[0])
            for name, method in methods.items():
                if not name.startswith("_"):
                    self.operation("" if mixin else group, name, method, methods, templates, builders, models)

    def operation(self, group, name, method, methods, templates, builders, models):
        plain = name.removeprefix("begin_")
        begins = name != plain
        initial = methods.get(f"_{plain}_initial") or methods.get(f"_{name}_initial")
        sender = initial or method if begins else method
        label = f"{group}.{name}" if group else name
        used = [c.func.id for c in ast.walk(sender) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name) and c.func.id in builders]
        if used:
            request = builders[used[0]]
        elif sender.name in templates:
            # The oldest generator: the request is built in the method, its URL stands behind it.
            request = {**builder(sender), "url": templates[sender.name]}
            verbs = [c.func.attr for c in ast.walk(sender) if isinstance(c, ast.Call) and ast.unparse(c.func).startswith("self._client.")]
            request["method"] = next((VERBS[v] for v in verbs if v in VERBS and v != "get"), "GET" if "get" in verbs else None)
        else:
            if name not in ("close", "send_request", "models"):
                self.unread.append((label, "the request is built in no way that is known"))
            return
        if not request["url"] or not request["method"]:
            self.unread.append((label, "no constant URL or method"))
            return
        if not request["url"].startswith("/"):
            self.unread.append((label, f"not below the management endpoint: `{request['url'][:60]}`"))
            return
        official = ".".join(p for p in (group, "".join(w[:1].upper() + w[1:] for w in plain.split("_"))) if p)
        written = neutral.operation_name(official)
        if written in self.rows:
            kept = self.rows[written]
            if (kept["method"], kept["uri"].replace("{+", "{")) != (request["method"], request["url"]):
                self.unread.append((label, f"`{written}` is there already, with another request"))
            return
        raw = {w for (where, w), p in request["parameters"].items() if where == "path" and p["raw"]}
        uri = re.sub(r"\{(\w+)\}", lambda m: "{+" + m.group(1) + "}" if m.group(1) in raw else m.group(0), request["url"])
        output, paging = self.output(method, models, label)
        self.rows[written] = {
            "official": official, "method": request["method"], "uri": uri, "api_version": request["version"],
            "input": self.input(official, request, sender, models), "output": output, "paging": paging,
            "completion": ("azure", final_state(method)) if begins else None, "errors": self.errors(sender, models),
            "deprecated": "deprecated" in (ast.get_docstring(method) or "").lower()[:400],
        }
        self.documentation[written] = (request["method"], uri, (ast.get_docstring(method) or "").split(":param", 1)[0])

    def input(self, official, request, sender, models):
        at, row = self.types.structure(self.types.free_name(official.replace(".", "") + "Request"))
        taken = set()
        for (where, wire), said in sorted(request["parameters"].items(), key=lambda kv: ({"path": 0, "query": 1, "header": 2}[kv[0][0]], request["url"].find("{" + kv[0][1] + "}"), kv[0][1])):
            if wire.lower() in ("api-version", "accept", "content-type") or where == "path" and "{" + wire + "}" not in request["url"]:
                continue
            taken.add(said["python"])
            shape = None
            if said["hint"] is not None and said["old"] in ("str", "[str]"):
                names = re.findall(r"_models\w*\.(\w+)", ast.unparse(said["hint"]))
                if names and names[0] in models.enums:
                    shape = self.types.scalar("string", values=models.enums[names[0]])
                    shape = self.types.list(shape) if said["old"] == "[str]" else shape
            if shape is None:
                shape = self.shapes.old(models, said["old"], None, {k: said[k] for k in ("min", "max", "pattern")})
            if any(neutral.snake(m["name"]) == neutral.snake(wire) for m in row["members"]):
                self.report(f"`{official}` has two parameters `{wire}`; the first is kept")
                continue
            row["members"].append({
                "name": wire, "shape": shape, "required": said["required"] and wire != "subscriptionId", "location": where,
                "ambient": wire == "subscriptionId", "token": wire.lower() in ("repeatability-request-id",),
            })
        body = self.body(request, sender, models, taken)
        if body is not None:
            shape, needed = body
            if any(m["name"] == "body" for m in row["members"]):
                self.report(f"`{official}` has a parameter `body` beside its body")
            row["members"].append({"name": "body", "shape": shape, "required": needed})
            row["payload"] = "body"
        return at

    def body(self, request, sender, models, taken):
        """The parameter that is sent as the body: what `json` or `content` of the request is made of."""
        text = None
        for part in ast.walk(sender):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in ("body", "dumps") and part.args \
                    and isinstance(part.args[0], ast.Name):
                text = part.args[0].id
                kind = constant(part.args[1]) if part.func.attr == "body" and len(part.args) > 1 else None
                break
        else:
            for part in ast.walk(sender):
                if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and part.targets[0].id == "_content" and isinstance(part.value, ast.Name):
                    text, kind = part.value.id, "IO"
                    break
        if text is None:
            return None
        arguments = sender.args
        named = arguments.args + arguments.kwonlyargs
        defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults) + list(arguments.kw_defaults)
        for argument, default in zip(named, defaults):
            if argument.arg == text:
                needed = default is None
                if kind is not None:
                    return self.shapes.old(models, kind), needed
                if argument.annotation is not None:
                    return self.shapes.new(models, argument.annotation), needed
        if text == "body":
            # Members of the body are parameters of the method: what they are together is not said.
            return self.types.scalar("document"), False
        return None if kind is None else (self.shapes.old(models, kind), True)

    def output(self, method, models, label):
        """The shape of the answer, and how its pages are followed."""
        returned = method.returns
        if returned is None:
            return None, None
        if isinstance(constant(returned), str):
            returned = ast.parse(constant(returned), mode="eval").body
        head, inside = generic(returned)
        if head == "LROPoller":
            returned = inside
            head, inside = generic(returned)
        if head in ("ItemPaged", "Iterable"):
            return self.paged(method, inside, models, label)
        if head == "Iterator":
            return self.types.scalar("blob", streaming=True), None
        text = ast.unparse(returned).strip("\"'")
        if text == "None":
            return None, None
        return self.shapes.new(models, returned), None

    def paged(self, method, item, models, label):
        collection, values, link = None, "value", "nextLink"
        for part in ast.walk(method):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                if part.func.attr == "_deserialize" and part.args and isinstance(constant(part.args[0]), str):
                    collection = constant(part.args[0])
                elif part.func.attr == "_deserialize" and part.args and ast.unparse(part.args[0]).startswith("_models"):
                    collection = ast.unparse(part.args[0]).rsplit(".", 1)[-1]
                elif part.func.attr == "get" and isinstance(part.func.value, ast.Name) and part.func.value.id == "deserialized" and part.args:
                    if len(part.args) == 2:
                        values = constant(part.args[0])
                    else:
                        link = constant(part.args[0])
        returns = [r.value for r in ast.walk(method) if isinstance(r, ast.Return) and isinstance(r.value, ast.Tuple)]
        ends = any(isinstance(r.elts[0], ast.Constant) and r.elts[0].value is None for r in returns)
        if collection in models.models:
            shape = self.shapes.structure(models, collection)
            members = {m["name"] for m in self.types.rows[shape].get("members", ())}
            results = [values] if values in members else sorted(m for m in members if m != link)[:1]
            return shape, {"output_token": [link] if link in members and not ends else [], "result_key": results}
        at, row = self.types.structure(self.types.free_name(label.split(".")[0] + "".join(w[:1].upper() + w[1:] for w in method.name.split("_")) + "Result"))
        shape = self.types.list(self.shapes.new(models, item)) if item is not None else self.types.scalar("document")
        row["members"].append({"name": values, "shape": shape})
        if not ends:
            row["members"].append({"name": link, "shape": self.types.scalar("string")})
        return at, {"output_token": [] if ends else [link], "result_key": [values]}

    def errors(self, sender, models):
        names = set()
        for part in ast.walk(sender):
            if isinstance(part, ast.Call):
                called = ast.unparse(part.func)
                if called.endswith(("failsafe_deserialize",)) and part.args:
                    names.add(ast.unparse(part.args[0]).rsplit(".", 1)[-1])
        found = [self.shapes.structure(models, n) for n in sorted(names) if n in models.models]
        return sorted({at for at in found if self.types.rows[at]["kind"] == "structure"})


def generic(node):
    """`Head[inside]` as head and inside."""
    if isinstance(node, ast.Subscript):
        inside = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
        if isinstance(constant(inside), str):
            inside = ast.parse(constant(inside), mode="eval").body
        return ast.unparse(node.value).rsplit(".", 1)[-1], inside
    return None, None


def final_state(method):
    for part in ast.walk(method):
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values):
                if key is not None and constant(key) == "final-state-via":
                    return constant(value)
    return None


def clients(package):
    """The clients of an unpacked package, as (service name, folder)."""
    name = neutral.snake(package.name.removeprefix("azure_mgmt_"))
    found = []
    for folder in sorted(p.parent for p in package.rglob("operations") if p.is_dir() and "aio" not in p.parts):
        found.append(folder.parent if VERSIONED.match(folder.name) else folder)
    found = sorted(set(found))
    if len(found) <= 1:
        return [(name, folder) for folder in found]
    base = min(len(f.parts) for f in found)
    return [(name if len(f.parts) < base else f"{name}_{neutral.snake(f.name)}", f) for f in found]


def collect(folder, report):
    """All services as (name, operations, raw bytes), their names, counts, and the documentation and input of each operation."""
    done, names, documentation, inputs, shapes, requests, unread = [], [], {}, {}, 0, set(), 0
    for package in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir() and p.name.startswith("azure_mgmt_")):
        found = clients(package)
        if not found:
            report(package.name, "no client with operations")
        for name, root in found:
            client = Client(name, root, lambda what, name=name: report(name, what))
            client.read()
            for label, why in client.unread:
                report(name, f"`{label}` left out: {why}")
            unread += len(client.unread)
            if not client.rows:
                report(name, "no operations")
                continue
            rows = [client.rows[key] for key in sorted(client.rows)]
            version = max((r["api_version"] or "" for r in rows), default="")
            meta = {"id": package.name.replace("_", "-"), "title": title(root, name), "version": version, "host": "management.azure.com"}
            done.append((name, len(rows), neutral.chunk("azure", meta, client.types, rows)))
            names += [f"azure.{name}.{operation}" for operation in sorted(client.rows)]
            requests |= {(r["method"], r["uri"].lower()) for r in rows}
            documentation.update({f"azure.{name}.{operation}": text for operation, text in client.documentation.items()})
            inputs.update({f"azure.{name}.{operation}": (client.types.rows, row["input"]) for operation, row in client.rows.items()})
            shapes += len(client.types.rows)
    done.sort()
    if len({name for name, _, _ in done}) != len(done):
        raise ValueError("two services of one name")
    counts = {"services": len(done), "operations": len(names), "requests": len(requests), "shapes": shapes, "unread": unread}
    return done, names, counts, documentation, inputs


def resolves(inputs, name, path):
    """Whether an input has a member of this path, as people write it."""
    rows, at = inputs[name]
    for part in path:
        row = rows[at]
        if row["kind"] in ("map", "document"):
            return True
        found = [m for m in row.get("members", ()) if neutral.snake(m["name"]) == part]
        if not found:
            return False
        at = found[0]["shape"]
    return True


def title(root, name):
    """The client's class name in words: `ComputeManagementClient` is `Compute`."""
    for path in sorted(root.glob("_*client.py")):
        found = re.search(r"^class (\w+?)(?:Management)?(?:Mgmt)?Client\b", path.read_text(encoding="utf8"), re.M)
        if found:
            return "Azure " + " ".join(re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+", found.group(1)))
    return "Azure " + name.replace("_", " ")
