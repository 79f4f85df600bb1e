"""The recorded contract, and answers held against it: the rules of `greenroom_testkit::contract`, for what
official clients were really sent."""

import json
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "contract"

# What a top-level `Code` may be on success: an official client throws on any other.
SUCCESS_CODES = {"200", "OK", "Success", "success"}

# How the products spell times: a field's recorded example says which of these is its own.
TIMES = [
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", re.ASCII),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII),
]

REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")

INTEGERS = {"int32": 31, "int64": 63}


@cache
def operations():
    """Every recorded operation, by its product's version and its name."""
    found = {}
    for path in FOLDER.glob("*-20??-??-??.json"):
        contract = json.loads(path.read_text())
        for action, operation in contract["operations"].items():
            found[contract["version"], action] = operation
    return found


@cache
def our_own_values():
    """Values of ours that the record does not list, by the field they stand in."""
    fields = json.loads((FOLDER / "our-own-values.json").read_text())
    return {name: field["values"] for name, field in fields.items()}


def breaches(version, action, status, answer):
    """Everything about an answer that the contract does not allow, each with its place in the answer."""
    operation = operations().get((version, action))
    if not isinstance(answer, dict):
        return ["the answer is no object"]
    if status != 200:
        names = ("Code", "Message", "RequestId", "HostId")
        return [f"{name}: is no text" for name in names if not isinstance(answer.get(name), str)]
    if operation is None:
        return [f"the contract of {version} has no operation {action}"]
    found = list(of_members("", answer, operation["response"]))
    if not REQUEST_ID.fullmatch(str(answer.get("RequestId"))):
        found.append("RequestId: is not an upper-case UUID")
    code = answer.get("Code")
    if isinstance(code, str) and code not in SUCCESS_CODES:
        found.append(f"Code: {code} makes an official client throw")
    return found


def of_members(path, members, fields):
    for name, value in members.items():
        inner = f"{path}.{name}" if path else name
        if name in fields:
            yield from of_value(inner, name, value, fields[name]["type"], fields[name])
        else:
            yield f"{inner}: is not in the contract"


def of_value(path, name, value, kind, field):
    match kind, value:
        case "array", list():
            for at, element in enumerate(value):
                yield from of_value(f"{path}[{at}]", name, element, field.get("items", "any"), field)
        case "object", dict():
            yield from of_members(path, value, field.get("fields", {}))
        case "string", str():
            yield from of_text(path, name, value, field)
        # A truth value is a number to Python, and to nobody else.
        case ("boolean", bool()) | ("map", dict()) | ("any", _):
            pass
        case ("integer" | "number"), bool():
            yield f"{path}: {value} is not of type {kind}"
        case "integer", int():
            bits = INTEGERS[field.get("format", "int64")]
            if not -(2**bits) <= value < 2**bits:
                yield f"{path}: {value} does not fit its integer type"
            yield from of_listed(path, name, str(value), field)
        case "number", int() | float():
            pass
        case _:
            yield f"{path}: {value!r} is not of type {kind}"


def of_text(path, name, text, field):
    yield from of_listed(path, name, text, field)
    example = str(field.get("example", ""))
    for spelling in TIMES:
        if spelling.fullmatch(example) and not spelling.fullmatch(text):
            yield f"{path}: {text} is not a time as recorded"


def of_listed(path, name, text, field):
    listed = field.get("enum", [])
    if listed and text not in listed and text not in our_own_values().get(name, []):
        yield f"{path}: {text} is none of {listed}"
