"""The command lines of `az` as operations of Azure Resource Manager, read with Python's `ast` out of `azure-cli`; nothing of it is
executed.

Two kinds of commands are readable: those that `aaz` modules describe whole (URL, method, what each option fills), and those that
`commands.py` ties to a method of an `azure-mgmt` package, whose options follow from its parameters by a naming rule. Commands with
code of their own are *not* read; the most used of them stand in `catalog/data/commands.txt`. A row is

    words|service.operation|parameter=option/option~default|parameter='constant'

`!` for the operation marks a command that reads, changes and writes back, which no single call does, and `-` one that is composed by code
that is not read, with the reason behind it.
"""

import ast
import json
import re

import neutral
from azure_models import constant

# What azure-cli's own argument classes call themselves.
CLASS_OPTIONS = {"AAZResourceGroupNameArg": ["--resource-group", "-g"], "AAZResourceLocationArg": ["--location", "-l"]}


def shape_of(url):
    """A URL template in which only the places of parameters count."""
    return re.sub(r"\{[^}]*\}", "{}", url).lower().rstrip("/")


def places(url):
    return [p.lstrip("+") for p in re.findall(r"\{([^}]*)\}", url)]


def argument_of(node):
    """`self.ctx.args.vm_name` is `vm_name`."""
    text = ast.unparse(node)
    return text.removeprefix("self.ctx.args.") if text.startswith("self.ctx.args.") else None


class Command:
    """An `aaz` class: its words, its options, its requests."""

    def __init__(self, node):
        self.words, self.options, self.requests, self.writes_back = None, {}, [], False
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "register_command":
                self.words = constant(decorator.args[0])
        self.waits = any(ast.unparse(b).endswith("WaitCommand") for b in node.bases)
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == "_build_arguments_schema":
                self.arguments(part)
            if isinstance(part, ast.ClassDef):
                bases = [ast.unparse(b) for b in part.bases]
                if "AAZHttpOperation" in bases:
                    self.request(part)
                elif any(b.endswith(("InstanceUpdateOperation", "InstanceCreateOperation", "InstanceDeleteOperation")) for b in bases):
                    self.writes_back = True

    def arguments(self, function):
        for part in ast.walk(function):
            if not (isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Attribute) and isinstance(part.value, ast.Call)):
                continue
            if ast.unparse(part.targets[0].value) != "_args_schema":
                continue
            name, called = part.targets[0].attr, ast.unparse(part.value.func)
            said = {k.arg: k.value for k in part.value.keywords}
            options = [constant(o) for o in said["options"].elts if isinstance(constant(o), str)] if isinstance(said.get("options"), ast.List) else []
            options = options or CLASS_OPTIONS.get(called, ["--" + name.replace("_", "-")])
            default = constant(said["default"]) if "default" in said else None
            self.options[name] = ([o.lstrip("-") for o in options], default)

    def request(self, node):
        found = {"fixed": [], "path": {}, "body": []}
        for part in node.body:
            if not isinstance(part, ast.FunctionDef):
                continue
            if part.name == "method":
                found["method"] = next((constant(r.value) for r in part.body if isinstance(r, ast.Return)), None)
            elif part.name == "url":
                found["url"] = next((constant(c.args[0]) for c in ast.walk(part) if isinstance(c, ast.Call) and c.args), None)
            elif part.name in ("url_parameters", "query_parameters", "header_parameters"):
                for call in ast.walk(part):
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr.startswith("serialize_"):
                        self.parameter(found, part.name, call)
            elif part.name == "content":
                found["body"] = self.content(part)
        self.requests.append(found)

    def parameter(self, found, where, call):
        wire, value = constant(call.args[0]), call.args[1]
        if wire in ("api-version", "Content-Type", "Accept"):
            return
        filled = argument_of(value)
        if filled is None and not isinstance(value, ast.Constant):
            return
        said = ("arg", filled) if filled is not None else ("const", constant(value))
        if where == "url_parameters":
            found["path"][wire] = said
        else:
            found["fixed"].append((neutral.snake(wire), said))

    def content(self, function):
        """What each option fills of the body: (path, option or constant), where an option is one value."""
        at = {"_builder": ([], [])}
        filled = []
        for part in ast.walk(function):
            if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and isinstance(part.value.func, ast.Attribute) \
                    and part.value.func.attr == "get" and ast.unparse(part.value.func.value) == "_builder":
                path = [p for p in (constant(part.value.args[0]) or "").split(".") if p]
                at[ast.unparse(part.targets[0])] = (path, None)
        arguments = {(): ()}
        for part in sorted((p for p in ast.walk(function) if isinstance(p, ast.Call)), key=lambda p: (p.lineno, p.col_offset)):
            if not isinstance(part.func, ast.Attribute) or part.func.attr not in ("set_prop", "set_const"):
                continue
            builder = at.get(ast.unparse(part.func.value))
            if builder is None or any("[" in p or "{" in p for p in builder[0]):
                continue
            path = tuple(builder[0]) + (constant(part.args[0]),)
            if part.func.attr == "set_const":
                if isinstance(constant(part.args[1]), (str, bool, int)):
                    filled.append((path, ("const", constant(part.args[1]))))
                continue
            above = arguments.get(tuple(builder[0]))
            own = constant(part.args[2]) if len(part.args) > 2 and isinstance(constant(part.args[2]), str) else ""
            if above is None:
                continue
            arguments[path] = above + tuple(p for p in own.split(".") if p)
            if own and len(arguments[path]) == 1:
                filled.append((path, ("arg", arguments[path][0])))
        return filled


def text_of(parameter, said, options):
    """`parameter=option/option~default` or `parameter='constant'`; none where the option is not there."""
    kind, value = said
    if kind == "const":
        return f"{parameter}='{value if isinstance(value, str) else json.dumps(value)}'" if value is not None else None
    if value not in options:
        return None
    names, default = options[value]
    shown = "" if default is None or not isinstance(default, (str, bool, int)) else "~" + (default if isinstance(default, str) else json.dumps(default))
    return f"{parameter}={'/'.join(names)}{shown}"


def sdk_types(tree):
    """Variables of `commands.py` that stand for an operation group: name to (package, group)."""
    found = {}
    for part in ast.walk(tree):
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and isinstance(part.value, ast.Call) \
                and ast.unparse(part.value.func) == "CliCommandType":
            for keyword in part.value.keywords:
                template = constant(keyword.value) if keyword.arg == "operations_tmpl" else None
                match = re.match(r"^(azure\.mgmt\.[\w.]+?)(?:\.operations)?#(\w+?)Operations\.\{\}$", template or "")
                if match:
                    found[part.targets[0].id] = (match.group(1), match.group(2))
    return found


def sdk_options(path_names, last):
    """The options of the parameters of a method's URL, by azure-cli's naming rule."""
    for name in path_names:
        dashed = neutral.snake(name).replace("_", "-")
        if dashed == "subscription-id":
            continue
        if dashed == "resource-group-name":
            yield name, ["resource-group", "g"]
        elif name == last:
            yield name, ["name", "n", dashed]
        else:
            short = dashed.removesuffix("-name")
            yield name, [short, dashed] if short != dashed else [dashed]


def commands_of(tree, groups):
    """Each registered command of `commands.py`: (words, kind, operation group or none, method or none)."""
    for part in ast.walk(tree):
        if not isinstance(part, ast.With):
            continue
        call = part.items[0].context_expr
        if not (isinstance(call, ast.Call) and ast.unparse(call.func).endswith("command_group") and call.args and isinstance(constant(call.args[0]), str)):
            continue
        group = constant(call.args[0])
        own = ast.unparse(call.args[1]) if len(call.args) > 1 else None
        for statement in ast.walk(part):
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript) \
                    and ast.unparse(statement.targets[0].value).endswith("command_table") and isinstance(constant(statement.targets[0].slice), str):
                yield constant(statement.targets[0].slice), "class", None, None
            if not (isinstance(statement, ast.Call) and isinstance(statement.func, ast.Attribute) and isinstance(statement.func.value, ast.Name)):
                continue
            kind = statement.func.attr
            if kind not in ("command", "show_command", "custom_command", "custom_show_command", "generic_update_command") or not statement.args:
                continue
            name = constant(statement.args[0])
            method = constant(statement.args[1]) if len(statement.args) > 1 else "get" if kind == "show_command" else None
            typed = next((ast.unparse(k.value) for k in statement.keywords if k.arg == "command_type"), own)
            yield f"{group} {name}".strip(), kind, groups.get(typed), method


def collect(folder, operations, resolves, report):
    """The rows of all readable commands, sorted. `operations` are full names with (method, URL, …)."""
    base = next(folder.glob("azure_cli/azure/cli/command_modules"))
    by_request = {}
    for name in sorted(operations):
        method, url = operations[name][:2]
        by_request.setdefault((method, shape_of(url)), []).append(name)
    aaz, rows, left, customs = {}, {}, 0, {}
    for path in sorted(base.glob("*/aaz/latest/**/_*.py")):
        if path.name.startswith("__"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8-sig")).body:
            if isinstance(node, ast.ClassDef):
                command = Command(node)
                if command.words and not command.waits and command.requests:
                    aaz[command.words] = command
    for path in sorted(base.glob("*/commands.py")):
        tree = ast.parse(path.read_text(encoding="utf-8-sig"))
        groups = sdk_types(tree)
        for words, kind, group, method in commands_of(tree, groups):
            if kind in ("command", "show_command") and group and method:
                row = sdk_row(words, group, method, operations)
                if row:
                    rows[words] = [row]
                    continue
            if kind == "generic_update_command":
                rows[words] = [f"{words}|!"]
            elif kind != "class" and words not in aaz:
                left += 1
            customs[words] = kind
    for words, command in sorted(aaz.items()):
        writes = any(r.get("method") in ("PUT", "PATCH") for r in command.requests)
        if command.writes_back or (writes and any(r.get("method") == "GET" for r in command.requests)):
            rows[words] = [f"{words}|!"]
            continue
        if words in customs and writes:
            # What the options fill is not to be read here.
            rows[words] = [f"{words}|-|code of azure-cli's own composes what is sent"]
            continue
        made = [row for row in (aaz_row(words, command, request, operations, by_request, resolves, report) for request in command.requests) if row]
        if made:
            rows[words] = sorted(set(made))
        else:
            first = command.requests[0]
            report("az", f"`{words}` is {first.get('method')} {first.get('url')}, which no package has")
    report("az", f"{left} commands are code of azure-cli's own and not read")
    return [row for words in sorted(rows) for row in rows[words]]


def aaz_row(words, command, request, operations, by_request, resolves, report):
    found = by_request.get((request.get("method"), shape_of(request.get("url") or "")))
    if not found:
        return None
    # Of several packages with one request, the one that is called like the command.
    first = words.split()[0].replace("-", "")
    name = next((n for n in found if n.split(".")[1].startswith(first)), found[0])
    filled = []
    for ours, theirs in zip(places(operations[name][1]), places(request["url"])):
        if ours.lower() != "subscriptionid":
            filled.append((neutral.snake(ours), request["path"].get(theirs, ("arg", theirs))))
    filled += request["fixed"]
    filled += [("body." + ".".join(neutral.snake(p) for p in path), said) for path, said in request["body"]]
    texts = []
    for parameter, said in filled:
        text = text_of(parameter, said, command.options)
        if text and resolves(name, parameter.split(".")):
            texts.append(text)
        elif text:
            report("az", f"`{words}`: `{name}` has no `{parameter}`")
    return "|".join([words, name.removeprefix("azure."), *texts])


def sdk_row(words, group, method, operations):
    package, of = group
    package = package.removeprefix("azure.mgmt.").split(".")
    last = f"{neutral.snake(of)}.{neutral.snake(method.removeprefix('begin_'))}"
    named = (f"azure.{'_'.join(package[:count])}.{last}" for count in range(len(package), 0, -1))
    name = next((n for n in named if n in operations), None)
    if name is None:
        return None
    parameters = [p for p in places(operations[name][1]) if p != "subscriptionId"]
    filled = [f"{neutral.snake(p)}={'/'.join(options)}" for p, options in sdk_options(parameters, parameters[-1] if parameters else None)]
    return "|".join([words, name.removeprefix("azure."), *filled])
