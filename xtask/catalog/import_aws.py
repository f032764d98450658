"""AWS, from botocore's models and iam-floyd's access levels.

The same packages give the same bytes: no clock, no order but sorted ones. It does
*not* judge what an operation does: it carries the facts (verb, method, traits, access level), `catalog/src/class` judges.
"""

import json
import math

import botocore
import botocore.loaders

import endpoints
import levels
import pack
import tags

KINDS = ["structure", "union", "list", "map", "string", "integer", "long", "float", "double", "boolean", "timestamp", "blob", "document"]
LOCATIONS = {None: 0, "uri": 1, "querystring": 2, "header": 3, "headers": 4, "statusCode": 5}
TIMESTAMPS = {"iso8601": 1, "rfc822": 2, "unixTimestamp": 3}
# In the order of `model::Protocol`; botocore's `json` is two of them.
PROTOCOLS = ["json1.0", "json1.1", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"]

# Columns, in the order of `catalog/src/codec/columns.rs`.
(META, KIND, SHAPE_FLAGS, RANGE, SHAPE_TEXT, ENUM_COUNT, ENUM_VALUE, MEMBER_COUNT, MEMBER_NAME, TARGET, MEMBER_FLAGS,
 MEMBER_TEXT, ERROR, OP_NAME, OP_HTTP, OP_SHAPES, OP_FLAGS, OP_ERRORS, OP_TEXT, PAGING, WAITER, COMPLETION,
 PERMISSION) = range(23)


def flags(*bits):
    """Bit n is set where the n-th value is true."""
    return sum(1 << n for n, bit in enumerate(bits) if bit)


def as_list(value):
    return [value] if isinstance(value, str) else list(value or [])


def namespace(chunk, column, value):
    """An XML namespace: URI and prefix."""
    value = {"uri": value} if isinstance(value, str) else value
    chunk.text(column, value["uri"])
    chunk.text(column, value.get("prefix"))


class Shapes:
    """The shapes that operations reach, in order of first visit; scalars that say the same are one."""

    def __init__(self, model):
        self.model = model
        self.ids = {}
        self.order = []

    def key(self, name):
        shape = self.model[name]
        if shape["type"] in ("structure", "list", "map") and not shape.get("document"):
            return name
        said = {k: v for k, v in shape.items() if k not in ("documentation", "box") and not k.startswith("deprecated")}
        return json.dumps([name if "enum" in shape else None, said], sort_keys=True)

    def id(self, name):
        return self.ids[self.key(name)]

    def visit(self, name):
        stack = [name]
        while stack:
            name = stack.pop()
            key = self.key(name)
            if key in self.ids:
                continue
            self.ids[key] = len(self.order)
            self.order.append(name)
            shape = self.model[name]
            below = [m["shape"] for m in shape.get("members", {}).values()]
            below += [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
            stack.extend(reversed(below))


def kind(shape):
    if shape.get("document"):
        return "document"
    return "union" if shape.get("union") else shape["type"]


def put_shape(chunk, shapes, name):
    shape = shapes.model[name]
    what = kind(shape)
    named = what in ("structure", "union") or "enum" in shape
    failure = shape.get("exception") or "error" in shape
    chunk.number(KIND, KINDS.index(what))
    chunk.number(SHAPE_FLAGS, flags(
        shape.get("sensitive"), shape.get("flattened"), "min" in shape, "max" in shape, shape.get("pattern"), named,
        shape.get("payload"), failure, shape.get("xmlNamespace"), shape.get("streaming"), shape.get("eventstream"),
        shape.get("jsonvalue"), shape.get("timestampFormat"), "enum" in shape,
    ))
    if named:
        chunk.text(SHAPE_TEXT, name)
    # Fractions are widened to whole numbers: a range in the catalogue may allow too much, never refuse what is right.
    if "min" in shape:
        chunk.number(RANGE, pack.zigzag(math.floor(float(shape["min"]))) if isinstance(shape["min"], float) else pack.zigzag(int(shape["min"])))
    if "max" in shape:
        chunk.number(RANGE, pack.zigzag(math.ceil(float(shape["max"]))) if isinstance(shape["max"], float) else pack.zigzag(int(shape["max"])))
    if shape.get("pattern"):
        chunk.text(SHAPE_TEXT, shape["pattern"])
    if shape.get("payload"):
        chunk.text(SHAPE_TEXT, shape["payload"])
    if failure:
        error = shape.get("error", {})
        chunk.text(ERROR, error.get("code"))
        chunk.number(ERROR, int(error.get("httpStatusCode", 0)))
    if shape.get("xmlNamespace"):
        namespace(chunk, SHAPE_TEXT, shape["xmlNamespace"])
    if shape.get("timestampFormat"):
        chunk.number(KIND, TIMESTAMPS[shape["timestampFormat"]])
    if "enum" in shape:
        chunk.number(ENUM_COUNT, len(shape["enum"]))
        for value in shape["enum"]:
            chunk.text(ENUM_VALUE, value)
    if what in ("structure", "union"):
        required = set(shape.get("required", ()))
        members = shape.get("members", {})
        chunk.number(MEMBER_COUNT, len(members))
        for member, value in members.items():
            put_member(chunk, shapes, member, value, member in required)
    elif what == "list":
        chunk.number(TARGET, shapes.id(shape["member"]["shape"]))
        chunk.text(MEMBER_TEXT, part_name(shapes, shape["member"]))
    elif what == "map":
        for part in ("key", "value"):
            chunk.number(TARGET, shapes.id(shape[part]["shape"]))
            chunk.text(MEMBER_TEXT, part_name(shapes, shape[part]))


def part_name(shapes, reference):
    """`locationName` of a reference, else that of the shape it refers to: botocore merges them in this order."""
    return reference.get("locationName", shapes.model[reference["shape"]].get("locationName"))


def put_member(chunk, shapes, name, member, required):
    wire = part_name(shapes, member)
    wire = None if wire == name else wire
    chunk.text(MEMBER_NAME, name)
    chunk.number(TARGET, shapes.id(member["shape"]))
    chunk.number(MEMBER_FLAGS, flags(required, wire is not None, member.get("idempotencyToken")) | LOCATIONS[member.get("location")] << 3 | flags(
        member.get("flattened"), member.get("xmlAttribute"), member.get("hostLabel"), member.get("streaming"), member.get("jsonvalue"),
        member.get("xmlNamespace"), member.get("queryName"), member.get("contextParam"), tags.is_tags(shapes.model, name, member),
    ) << 6)
    if wire is not None:
        chunk.text(MEMBER_TEXT, wire)
    if member.get("xmlNamespace"):
        namespace(chunk, MEMBER_TEXT, member["xmlNamespace"])
    if member.get("queryName"):
        chunk.text(MEMBER_TEXT, member["queryName"])
    if member.get("contextParam"):
        chunk.text(MEMBER_TEXT, member["contextParam"]["name"])


def put_operation(chunk, shapes, operation, page, level, permission):
    http, given, answer = operation["http"], operation.get("input", {}), operation.get("output", {})
    unsigned = operation.get("authtype") == "none" or "smithy.api#noAuth" in operation.get("auth", ())
    checksum = operation.get("httpChecksumRequired") or operation.get("httpChecksum", {}).get("requestChecksumRequired")
    prefix = operation.get("endpoint", {}).get("hostPrefix")
    static, dynamic = operation.get("staticContextParams"), operation.get("operationContextParams")
    chunk.text(OP_NAME, operation["name"])
    chunk.text(OP_HTTP, http["method"])
    chunk.text(OP_HTTP, http["requestUri"])
    chunk.number(OP_SHAPES, shapes.id(given["shape"]) + 1 if given else 0)
    chunk.number(OP_SHAPES, shapes.id(answer["shape"]) + 1 if answer else 0)
    chunk.number(OP_FLAGS, level | flags(
        operation.get("deprecated"), unsigned, operation.get("unsignedPayload") or operation.get("authtype") == "v4-unsigned-body",
        checksum, page, prefix, answer.get("resultWrapper"), given.get("locationName"), given.get("xmlNamespace"),
        operation.get("readonly"), operation.get("idempotent"), static, dynamic, False, False, False, False, permission,
    ) << 3)
    if prefix:
        chunk.text(OP_TEXT, prefix)
    if answer.get("resultWrapper"):
        chunk.text(OP_TEXT, answer["resultWrapper"])
    if given.get("locationName"):
        chunk.text(OP_TEXT, given["locationName"])
    if given.get("xmlNamespace"):
        namespace(chunk, OP_TEXT, given["xmlNamespace"])
    if static:
        chunk.number(OP_TEXT, len(static))
        for name, value in sorted(static.items()):
            chunk.text(OP_TEXT, name)
            chunk.text(OP_TEXT, json.dumps(value["value"]))
    if dynamic:
        chunk.number(OP_TEXT, len(dynamic))
        for name, value in sorted(dynamic.items()):
            chunk.text(OP_TEXT, name)
            chunk.text(OP_TEXT, value["path"])
    errors = sorted({shapes.id(e["shape"]) for e in operation.get("errors", [])})
    chunk.number(OP_ERRORS, len(errors))
    # Sorted, so the steps between them are small numbers.
    before = 0
    for error in errors:
        chunk.number(OP_ERRORS, error - before)
        before = error
    if page:
        for part in ("input_token", "output_token", "result_key", "limit_key", "more_results"):
            values = as_list(page.get(part))
            chunk.number(PAGING, len(values))
            for value in values:
                chunk.text(PAGING, value)
    if permission:
        chunk.number(PERMISSION, 1)
        chunk.text(PERMISSION, permission)


def put_waiter(chunk, name, waiter):
    chunk.text(WAITER, name)
    chunk.text(WAITER, waiter["operation"])
    chunk.number(WAITER, int(waiter["delay"]))
    chunk.number(WAITER, int(waiter["maxAttempts"]))
    chunk.number(WAITER, len(waiter["acceptors"]))
    for acceptor in waiter["acceptors"]:
        chunk.text(WAITER, acceptor["matcher"])
        chunk.text(WAITER, acceptor.get("argument"))
        chunk.text(WAITER, json.dumps(acceptor["expected"]))
        chunk.text(WAITER, acceptor["state"])


def protocols(metadata):
    """All protocols of a service as indices, the one that botocore prefers first."""
    names = [metadata["protocol"]] + [p for p in metadata.get("protocols", []) if p != metadata["protocol"]]
    return [PROTOCOLS.index("json" + metadata["jsonVersion"] if p == "json" else p) for p in names]


def put_meta(chunk, metadata, rules):
    for part in ("serviceId", "serviceFullName", "apiVersion", "endpointPrefix"):
        chunk.text(META, metadata[part])
    chunk.text(META, metadata.get("signingName"))
    chunk.text(META, metadata["signatureVersion"])
    chunk.text(META, metadata.get("targetPrefix"))
    spoken = protocols(metadata)
    chunk.number(META, len(spoken))
    for protocol in spoken:
        chunk.number(META, protocol)
    chunk.number(META, 1 if "xmlNamespace" in metadata else 0)
    if "xmlNamespace" in metadata:
        namespace(chunk, META, metadata["xmlNamespace"])
    # Which rule set gives the endpoints (0: none), see endpoints.py.
    chunk.number(META, rules)


def optional(loader, service, kind_of_file, part):
    try:
        return loader.load_service_model(service, kind_of_file)[part]
    except botocore.exceptions.UnknownServiceError:
        return {}
    except botocore.exceptions.DataNotFoundError:
        return {}


def service_chunk(loader, service, access, rules):
    """One service as (name, operations, raw bytes, counts)."""
    model = loader.load_service_model(service, "service-2")
    pages = optional(loader, service, "paginators-1", "pagination")
    waiters = optional(loader, service, "waiters-2", "waiters")
    metadata = model["metadata"]
    # botocore's own names decide the order, the reader derives the same ones.
    # The key is the official name: CloudFront's `name` carries the API version as well.
    operations = [{**o, "name": key} for key, o in model["operations"].items()]
    operations.sort(key=lambda o: botocore.xform_name(o["name"]))
    shapes = Shapes(model["shapes"])
    for operation in operations:
        for part in ("input", "output"):
            if part in operation:
                shapes.visit(operation[part]["shape"])
        for error in operation.get("errors", []):
            shapes.visit(error["shape"])
            # A few models say at the operation what others say at the shape.
            if "error" in error:
                model["shapes"][error["shape"]].setdefault("error", error["error"])
    chunk = pack.Columns(23)
    put_meta(chunk, metadata, rules)
    chunk.number(META, len(shapes.order))
    chunk.number(META, len(operations))
    chunk.number(META, len(waiters))
    for name in shapes.order:
        put_shape(chunk, shapes, name)
    prefixes = [metadata.get("signingName") or metadata["endpointPrefix"], metadata["endpointPrefix"], service]
    for operation in operations:
        level, prefix = levels.level(access, prefixes, operation["name"])
        # The reader derives the one under the signing name.
        permission = f"{prefix}:{operation['name']}" if level and prefix != prefixes[0] else None
        put_operation(chunk, shapes, operation, pages.get(operation["name"]), level, permission)
    for name in sorted(waiters, key=botocore.xform_name):
        put_waiter(chunk, name, waiters[name])
    names = [f"aws.{service.replace('-', '_')}.{botocore.xform_name(o['name'])}" for o in operations]
    counts = {"shapes": len(shapes.order), "paginators": sum(o["name"] in pages for o in operations), "waiters": len(waiters)}
    return service.replace("-", "_"), len(operations), chunk.pack(), counts, names


def collect(levels_folder):
    """All services as (name, operations, raw bytes), the chunk beside them, their names, counts, and documentation."""
    loader = botocore.loaders.Loader(include_default_search_paths=False, extra_search_paths=[botocore.loaders.Loader.BUILTIN_DATA_PATH])
    access = levels.read(levels_folder)
    services = sorted(loader.list_available_services("service-2"))
    rules, extra = endpoints.collect(loader, services)
    done = sorted(service_chunk(loader, service, access, rules[service]) for service in services)
    names = sorted(name for row in done for name in row[4])
    totals = {key: sum(row[3][key] for row in done) for key in ("shapes", "paginators", "waiters")}
    counts = {"services": len(done), "operations": len(names), **totals}
    return [(name, operations, raw) for name, operations, raw, _, _ in done], extra, names, counts
