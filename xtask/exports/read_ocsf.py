"""Reads OCSF lines with two sets of models made by others, and holds them to the schema itself.

The models check types, required attributes and enumerations; pydantic-ocsf is made from the schema,
py-ocsf-models was written by hand. Both let unknown attributes pass, so the schema that pydantic-ocsf
carries is walked too: every attribute must be in it.
"""

import json
import re
import sys
from pathlib import Path

import ocsf
from ocsf.v1_4_0.events import DetectionFinding
from py_ocsf_models.events.findings.detection_finding import DetectionFinding as ByHand

SCHEMA = json.loads((Path(ocsf.__file__).parent / "schemas" / "v1_4_0.json").read_text())
DICTIONARY = SCHEMA["dictionary"]["attributes"]
TYPES = SCHEMA["dictionary"]["types"]["attributes"]
# Numbers of the class itself, which the models compare with each other.
NUMBERS = {"category_uid", "class_uid", "type_uid"}
# What the cloud profile adds to a class (schema.ocsf.io/1.4.0/profiles/cloud).
PROFILES = {"cloud": {"cloud": {"requirement": "required"}, "api": {"requirement": "optional"}}}


def attributes(kind, name):
    """The attributes of a class or an object, with those of what it extends."""
    own = SCHEMA[kind].get(name)
    if own is None:
        raise ValueError(f"{name} is not in the schema")
    found = attributes(kind, own["extends"]) if own.get("extends") else {}
    for attribute, facts in own["attributes"].items():
        if attribute != "$include":
            known = {k: v for k, v in facts.items() if v is not None}
            found[attribute] = {**found.get(attribute, {}), **known}
    return found


def constraints(name):
    own = SCHEMA["objects"][name]
    if own.get("constraints"):
        return own["constraints"]
    return constraints(own["extends"]) if own.get("extends") else {}


def check(value, known, where):
    for attribute in value:
        if attribute not in known:
            raise ValueError(f"{where}.{attribute} is not in the schema")
    for attribute, facts in known.items():
        if facts.get("requirement") == "required" and attribute not in value:
            raise ValueError(f"{where}.{attribute} is missing")
    for attribute, found in value.items():
        facts = {**DICTIONARY[attribute], **known[attribute]}
        items = found if facts.get("is_array") else [found]
        if not isinstance(items, list):
            raise ValueError(f"{where}.{attribute} is no list")
        for item in items:
            check_item(item, facts, f"{where}.{attribute}")


def check_item(item, facts, where):
    kind = facts["type"]
    name = where.rsplit(".", 1)[-1]
    enum = {**DICTIONARY[name].get("enum", {}), **facts.get("enum", {})}
    if enum and name not in NUMBERS and str(item) not in enum:
        raise ValueError(f"{where}: {item} is none of {sorted(enum)}")
    if kind == "object":
        if not isinstance(item, dict):
            raise ValueError(f"{where} is no object")
    elif kind in TYPES:
        check_scalar(item, kind, where)
    else:
        check(item, attributes("objects", kind), where)
        one = constraints(kind).get("at_least_one", [])
        if one and not any(name in item for name in one):
            raise ValueError(f"{where} has none of {one}")


def check_scalar(item, kind, where):
    base = TYPES[kind].get("type", kind)
    wanted = {"string_t": str, "boolean_t": bool, "integer_t": int, "long_t": int}.get(base)
    if wanted and (not isinstance(item, wanted) or (wanted is int and isinstance(item, bool))):
        raise ValueError(f"{where}: {item!r} is no {kind}")
    pattern = TYPES[kind].get("regex")
    if pattern and not re.search(pattern, item):
        raise ValueError(f"{where}: {item!r} is no {kind}")


def main():
    lines = 0
    for path in sys.argv[1:]:
        for number, line in enumerate(Path(path).read_text().splitlines(), 1):
            event = json.loads(line)
            try:
                DetectionFinding.model_validate(event)
                ByHand.model_validate(event)
                known = attributes("events", "detection_finding")
                for profile in event["metadata"]["profiles"]:
                    known.update(PROFILES[profile])
                check(event, known, "finding")
            except Exception as error:
                sys.exit(f"{path}:{number}: {error}")
            lines += 1
    if not lines:
        sys.exit("no finding was written, so nothing was checked")
    print(f"ocsf: {lines} findings in {len(sys.argv) - 1} files: pydantic-ocsf, py-ocsf-models, schema 1.4.0")


main()
