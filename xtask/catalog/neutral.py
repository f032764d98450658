"""What Azure and Google Cloud have in common: types and operations as neutral rows, and the chunk that they are written to.

The columns are those of `import_aws.py`; members, flags and columns that only one cloud has are named in `catalog/src/codec`.
Nothing here reads a package.
"""

import re

import pack

KINDS = ["structure", "union", "list", "map", "string", "integer", "long", "float", "double", "boolean", "timestamp", "blob", "document"]
LOCATIONS = {"body": 0, "path": 1, "query": 2, "header": 3}
TIMESTAMPS = {"iso8601": 1, "rfc822": 2, "unixTimestamp": 3}
PROTOCOLS = {"azure": 7, "gcp": 8}

# Columns, in the order of `catalog/src/codec/columns.rs`.
(META, KIND, SHAPE_FLAGS, RANGE, SHAPE_TEXT, ENUM_COUNT, ENUM_VALUE, MEMBER_COUNT, MEMBER_NAME, TARGET, MEMBER_FLAGS,
 MEMBER_TEXT, ERROR, OP_NAME, OP_HTTP, OP_SHAPES, OP_FLAGS, OP_ERRORS, OP_TEXT, PAGING, WAITER, COMPLETION,
 PERMISSION) = range(23)
COLUMNS = 23

# How long-running operations end, in the order of `model::Completion`.
COMPLETIONS = ["azure", "google-longrunning", "google-status"]

# Members that hold a secret. Names of secrets, of their places and of policies about them are none.
SECRET = re.compile(
    r"(?:^|[a-z_.])(?:password|passwd|passphrase|secretaccesskey|connectionstring|sastoken|sasurl|sasuri|privatekey|clientsecret|secretvalue"
    r"|accesstoken|refreshtoken|idtoken|primarykey|secondarykey|accesskey|accountkey|storageaccountkey|primarymasterkey|secondarymasterkey"
    r"|sharedkey|authkey|apikey|hmackey|certificatepassword|kubeconfig|presharedkey|pfxblob|sharedsecret|authorizationkey)s?(?:data)?$",
    re.I,
)
NOT_SECRET = re.compile(r"(?:name|uri|url|id|version|type|policy|enabled|expir\w*|status|count|length|reference|vault\w*)$", re.I)


def flags(*bits):
    """Bit n is set where the n-th value is true."""
    return sum(1 << n for n, bit in enumerate(bits) if bit)


def is_secret(name):
    plain = name.replace("_", "").replace("-", "")
    return bool(SECRET.search(plain)) and (not NOT_SECRET.search(plain) or plain.lower().endswith(("sasurl", "sasuri")))


class Types:
    """The shapes of a service: structures by name, everything else once for each content."""

    def __init__(self):
        self.rows = []
        self.known = {}
        self.names = {}

    def scalar(self, kind, **said):
        return self.intern({"kind": kind, **{k: v for k, v in said.items() if v not in (None, False, (), [])}})

    def list(self, item):
        return self.intern({"kind": "list", "item": item})

    def map(self, value):
        return self.intern({"kind": "map", "key": self.scalar("string"), "value": value})

    def intern(self, row):
        key = repr(sorted(row.items()))
        if key not in self.known:
            self.known[key] = len(self.rows)
            self.rows.append(row)
        return self.known[key]

    def sensitive(self, at):
        """The same text, never to be shown."""
        row = self.rows[at]
        return self.intern({**row, "sensitive": True}) if row["kind"] == "string" and "values" not in row else at

    def free_name(self, wanted):
        """A name that no structure has yet."""
        wanted = re.sub(r"[^A-Za-z0-9_]", "", wanted) or "Object"
        name, at = wanted, 2
        while name in self.names:
            name, at = f"{wanted}{at}", at + 1
        return name

    def structure(self, name):
        """A structure whose members are to come; its index and its row."""
        assert name not in self.names, name
        at = self.names[name] = len(self.rows)
        self.rows.append({"kind": "structure", "name": name, "members": []})
        return at, self.rows[at]


def whole(value, up):
    """A bound as a whole number: a range in the catalogue may allow too much, never refuse what is right."""
    number = float(value)
    if number != number or abs(number) > 9.2e18:
        return None
    exact = int(value) if not isinstance(value, float) and re.fullmatch(r"-?\d+", str(value)) else None
    if exact is not None:
        return exact if -(1 << 62) < exact < 1 << 62 else None
    return int(-(-number // 1)) if up else int(number // 1)


def put_shape(chunk, row):
    kind = row["kind"]
    named = kind == "structure"
    low = None if row.get("min") is None else whole(row["min"], False)
    high = None if row.get("max") is None else whole(row["max"], True)
    chunk.number(KIND, KINDS.index(kind))
    chunk.number(SHAPE_FLAGS, flags(
        row.get("sensitive"), False, low is not None, high is not None, row.get("pattern"), named, row.get("payload"), row.get("error") is not None,
        False, row.get("streaming"), False, False, row.get("timestamp"), "values" in row, row.get("as_text"),
    ))
    if named:
        chunk.text(SHAPE_TEXT, row["name"])
    for bound in (low, high):
        if bound is not None:
            chunk.number(RANGE, pack.zigzag(bound))
    if row.get("pattern"):
        chunk.text(SHAPE_TEXT, row["pattern"])
    if row.get("payload"):
        chunk.text(SHAPE_TEXT, row["payload"])
    if row.get("error") is not None:
        chunk.text(ERROR, None)
        chunk.number(ERROR, row["error"])
    if row.get("timestamp"):
        chunk.number(KIND, TIMESTAMPS[row["timestamp"]])
    if "values" in row:
        chunk.number(ENUM_COUNT, len(row["values"]))
        for value in row["values"]:
            chunk.text(ENUM_VALUE, value)
    if kind == "structure":
        chunk.number(MEMBER_COUNT, len(row["members"]))
        for member in row["members"]:
            put_member(chunk, member)
    elif kind == "list":
        chunk.number(TARGET, row["item"])
        chunk.text(MEMBER_TEXT, None)
    elif kind == "map":
        for part in ("key", "value"):
            chunk.number(TARGET, row[part])
            chunk.text(MEMBER_TEXT, None)


def put_member(chunk, member):
    chunk.text(MEMBER_NAME, member["name"])
    chunk.number(TARGET, member["shape"])
    chunk.number(MEMBER_FLAGS, flags(member.get("required"), False, member.get("token")) | LOCATIONS[member.get("location", "body")] << 3 | flags(
        member.get("read_only"), member.get("ambient"),
    ) << 15)


def put_operation(chunk, operation):
    completion, permissions = operation.get("completion"), operation.get("permissions", ())
    chunk.text(OP_NAME, operation["official"])
    chunk.text(OP_HTTP, operation["method"])
    chunk.text(OP_HTTP, operation["uri"])
    chunk.number(OP_SHAPES, operation["input"] + 1 if operation.get("input") is not None else 0)
    chunk.number(OP_SHAPES, operation["output"] + 1 if operation.get("output") is not None else 0)
    chunk.number(OP_FLAGS, flags(
        operation.get("deprecated"), False, False, False, operation.get("paging"), False, False, False, False, False, False, False, False,
        operation.get("api_version"), operation.get("upload"), operation.get("download"), completion, permissions,
    ) << 3)
    if operation.get("api_version"):
        chunk.text(OP_TEXT, operation["api_version"])
    if operation.get("upload"):
        chunk.text(OP_TEXT, operation["upload"])
    errors = sorted(operation.get("errors", ()))
    chunk.number(OP_ERRORS, len(errors))
    before = 0
    for error in errors:
        chunk.number(OP_ERRORS, error - before)
        before = error
    if operation.get("paging"):
        for part in ("input_token", "output_token", "result_key", "limit_key", "more_results"):
            values = operation["paging"].get(part, ())
            chunk.number(PAGING, len(values))
            for value in values:
                chunk.text(PAGING, value)
    if completion:
        chunk.number(COMPLETION, COMPLETIONS.index(completion[0]))
        chunk.text(COMPLETION, completion[1])
    if permissions:
        chunk.number(PERMISSION, len(permissions))
        for permission in permissions:
            chunk.text(PERMISSION, permission)


def chunk(cloud, meta, types, operations):
    """The raw bytes of a service. `operations` are sorted by the name that people write."""
    out = pack.Columns(COLUMNS)
    for part in ("id", "title", "version", "host"):
        out.text(META, meta[part])
    out.text(META, None)
    out.text(META, "bearer")
    out.text(META, meta.get("prefix"))
    out.number(META, 1)
    out.number(META, PROTOCOLS[cloud])
    out.number(META, 0)
    out.number(META, 0)
    for count in (len(types.rows), len(operations), 0):
        out.number(META, count)
    for row in types.rows:
        put_shape(out, row)
    for operation in operations:
        put_operation(out, operation)
    return out.pack()


def words(official):
    """The name that people write for a part of an official one; the reader derives the same (`catalog/src/names.rs`)."""
    out, before = [], "_"
    acronym = len(official)
    if official.endswith("s"):
        upper = len(official) - 1
        while upper and official[upper - 1].isascii() and official[upper - 1].isupper():
            upper -= 1
        if len(official) - 1 - upper >= 2:
            acronym = upper
    for at, letter in enumerate(official):
        if at >= acronym:
            parts = at == acronym
        else:
            follow = official[at + 1] if at + 1 < len(official) else ""
            parts = at > 0 and "A" <= letter <= "Z" and ("a" <= follow <= "z" or "a" <= before <= "z" or "0" <= before <= "9")
        if parts and out:
            out.append("_")
        out.append(letter)
        before = letter
    return "".join(out).lower()


WORDS = [("WhatsApp", "Whatsapp"), ("OTel", "Otel"), ("OAuth2", "Oauth2"), ("PartiQL", "Partiql"), ("CachediSCSI", "CachedIscsi"),
         ("StorediSCSI", "StoredIscsi"), ("HITsFor", "HitsFor")]


def snake(official):
    for old, new in WORDS:
        official = official.replace(old, new)
    name = "_".join(words(part) for part in re.split(r"[^A-Za-z0-9]+", official) if part)
    return "n" + name if name[:1].isdigit() else name


def operation_name(official):
    """Groups stay groups: `instances.aggregatedList` is `instances.aggregated_list`."""
    return ".".join(snake(part) for part in official.split("."))
