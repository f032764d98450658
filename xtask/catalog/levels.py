"""Access levels of IAM actions, read out of the `iam-floyd` package's generated classes. Nothing of it is executed."""

import pathlib
import re

# What the catalogue stores; the greatest wins where an action has several.
LEVELS = {"List": 1, "Read": 2, "Tagging": 3, "Write": 4, "Permissions management": 5}

PREFIX = re.compile(r"servicePrefix = '([^']+)'")
TABLE = re.compile(r"accessLevelList = \{(.*?)\n        \};", re.S)
ROW = re.compile(r"(?:'([^']+)'|\b([A-Z]\w+)): \[(.*?)\]", re.S)


def read(package):
    """Service prefix -> action in lower case -> level."""
    levels = {}
    for path in sorted(pathlib.Path(package, "lib/generated/policy-statements").glob("*.js")):
        source = path.read_text()
        prefix, table = PREFIX.search(source), TABLE.search(source)
        if not prefix or not table:
            continue
        actions = levels.setdefault(prefix.group(1), {})
        for quoted, plain, body in ROW.findall(table.group(1)):
            for action in re.findall(r"'([^']+)'", body):
                key = action.lower()
                actions[key] = max(actions.get(key, 0), LEVELS[quoted or plain])
    return levels


def level(levels, prefixes, operation):
    """Level of an operation and the first prefix that knows it; 0 where none does."""
    for prefix in prefixes:
        found = levels.get(prefix, {}).get(operation.lower())
        if found:
            return found, prefix
    return 0, None
