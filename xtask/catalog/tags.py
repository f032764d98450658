"""Which members are tags: lists of key/value pairs that the model calls so (language reference, "Tags are maps")."""

import re

# Lists that *match against* tags: the same key may stand in them twice, so they are no maps.
NOT_TAGS = re.compile(r"match|condition|filter|criterion|template|dimension|exclude|row_?level|tagvalue", re.I)


def is_tags(shapes, name, member):
    """Whether the member `name` is a list of exactly two texts, a key and a value, called tags by member or list."""
    target = shapes[member["shape"]]
    if target["type"] != "list":
        return False
    item = shapes[target["member"]["shape"]]
    if item["type"] != "structure" or len(item["members"]) != 2:
        return False
    if any(shapes[m["shape"]]["type"] != "string" for m in item["members"].values()):
        return False
    pair = sorted(m.lower() for m in item["members"])
    if pair not in (["key", "value"], ["tagkey", "tagvalue"]):
        return False
    called = f"{name} {member['shape']} {target['member']['shape']}"
    return "tag" in f"{name} {member['shape']}".lower() and not NOT_TAGS.search(called)
