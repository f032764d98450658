"""Endpoint rule sets and partitions, each distinct set once.

Rule sets differ mostly in the service's own host prefix, so that is replaced by a mark: 96 distinct sets remain of 439.
"""

import json

import botocore.exceptions

# Stands for the service's endpoint prefix in a shared rule set; no rule set contains it.
MARK = "\x01"


def collect(loader, services):
    """Service -> number of its rule set (from 1, 0 for none), and the chunk: partitions and rule sets as one JSON text."""
    numbers, sets = {}, []
    known = {}
    for service in services:
        prefix = loader.load_service_model(service, "service-2")["metadata"]["endpointPrefix"]
        try:
            rules = loader.load_service_model(service, "endpoint-rule-set-1")
        except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
            numbers[service] = 0
            continue
        strip(rules)
        text = json.dumps(rules, separators=(",", ":"), sort_keys=True)
        text = text.replace(f"https://{prefix}-fips.", f"https://{MARK}-fips.").replace(f"https://{prefix}.", f"https://{MARK}.")
        if text not in known:
            sets.append(text)
            known[text] = len(sets)
        numbers[service] = known[text]
    partitions = json.dumps(loader.load_data("partitions"), separators=(",", ":"), sort_keys=True)
    return numbers, "\0".join([partitions, *sets]).encode()


def strip(value):
    """Documentation is for people who read the models, not for whoever evaluates them."""
    if isinstance(value, dict):
        value.pop("documentation", None)
        for below in value.values():
            strip(below)
    elif isinstance(value, list):
        for below in value:
            strip(below)
