"""botocore's own parsers, unmodified, on recorded answers: `corpus/wire/answers.json`.

Of each answer: every element or member is one of the model's, every leaf arrives in what botocore makes of
it, every required member is there, and values are of their types (enums, patterns, timestamps, numbers). Of each
refusal: code and message as `corpus/wire/matrix.txt` has them. Of all together: every member of the model's
outputs is in some answer, but those of `corpus/wire/never.json`. Prints what is wrong, and how many were read.

    python3 parse.py corpus/wire
"""

import base64
import datetime
import fnmatch
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

import botocore.loaders
import botocore.model
import botocore.parsers

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LOADER = botocore.loaders.Loader()
MODELS = {}
# Members of structures, as `Role.Arn`: those that answers may have, and those that one has.
POSSIBLE, SEEN = set(), set()
# What AWS really writes, as its guides' examples show, whatever its models say.
AS_AWS_WRITES = {
    "PermissionsBoundaryAttachmentType": {"Policy"},
    "PolicySourceType": {"IAM Policy", "Resource Policy"},
}


def model(service):
    if service not in MODELS:
        MODELS[service] = botocore.model.ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    return MODELS[service]


def xml_tree(element, shape, at, wrong):
    """An element as plain values, by the model: texts for leaves, `None` for what the model does not know."""
    children = list(element)
    if shape.type_name == "structure":
        known = {it.serialization.get("name", name): (name, it) for name, it in shape.members.items()}
        tree = {}
        for child in children:
            tag = child.tag.split("}")[-1]
            if tag not in known:
                wrong.append(f"{at}.{tag} is not in the model")
            elif known[tag][0] in tree:
                wrong.append(f"{at}.{tag} is there twice")
            else:
                name, it = known[tag]
                tree[name] = xml_tree(child, it, f"{at}.{name}", wrong)
        return tree
    if shape.type_name == "list":
        if any(child.tag.split("}")[-1] != "member" for child in children):
            wrong.append(f"{at} has other than members")
        return [xml_tree(child, shape.member, at, wrong) for child in children]
    if shape.type_name == "map":
        return {entry[0].text: xml_tree(entry[1], shape.value, at, wrong) for entry in children}
    if children:
        wrong.append(f"{at} is no leaf")
    return element.text or ""


def check(shape, tree, at, wrong):
    """Whether a tree of texts is what the model says."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in tree:
                wrong.append(f"{at}.{name} is required")
        for name, value in tree.items():
            if name not in shape.members:
                wrong.append(f"{at}.{name} is not in the model")
            else:
                SEEN.add(f"{shape.name}.{name}")
                check(shape.members[name], value, f"{at}.{name}", wrong)
    elif shape.type_name == "list":
        for value in tree:
            check(shape.member, value, at, wrong)
    elif shape.type_name == "map":
        for key, value in tree.items():
            check(shape.key, key, f"{at} key", wrong)
            check(shape.value, value, at, wrong)
    else:
        leaf(shape, tree, at, wrong)


def leaf(shape, value, at, wrong):
    kind = shape.type_name
    fits = {
        "string": lambda: isinstance(value, str) and patterned(shape, value) and (
            not shape.enum or value in shape.enum or value in AS_AWS_WRITES.get(shape.name, ())),
        "timestamp": lambda: TIMESTAMP.fullmatch(value) if isinstance(value, str) else isinstance(value, (int, float)),
        "boolean": lambda: value in ("true", "false", True, False),
        "integer": lambda: re.fullmatch(r"-?\d+", str(value)),
        "long": lambda: re.fullmatch(r"-?\d+", str(value)),
        "blob": lambda: base64.b64decode(value, validate=True),
    }[kind]
    if not fits():
        wrong.append(f"{at} is {value!r}, no {kind} of {shape.name}")


def patterned(shape, value):
    """The model's pattern, where Python reads it; names in braces stand for ids."""
    pattern = shape.metadata.get("pattern") if "{" not in value else None
    try:
        return not pattern or re.fullmatch(pattern, value)
    except re.error:
        return True


def same(shape, tree, parsed, at, wrong):
    """Whether botocore found every leaf, and made of it what it says."""
    if shape.type_name == "structure":
        for name, value in tree.items():
            if name not in parsed:
                wrong.append(f"botocore has no {at}.{name}")
            elif name in shape.members:
                same(shape.members[name], value, parsed[name], f"{at}.{name}", wrong)
    elif shape.type_name == "list":
        if len(tree) != len(parsed):
            wrong.append(f"botocore has {len(parsed)} {at}, not {len(tree)}")
        for value, found in zip(tree, parsed):
            same(shape.member, value, found, at, wrong)
    elif shape.type_name == "map":
        for key, value in tree.items():
            same(shape.value, value, parsed.get(key), at, wrong)
    elif text(shape, parsed) != str(value_of(shape, tree)):
        wrong.append(f"botocore has {parsed!r} as {at}, not {tree!r}")


def value_of(shape, value):
    if shape.type_name == "timestamp" and not isinstance(value, str):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


def text(shape, value):
    if shape.type_name == "timestamp":
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def possible(shape):
    """Collects all members that an answer of this shape may have."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if f"{shape.name}.{name}" not in POSSIBLE:
                POSSIBLE.add(f"{shape.name}.{name}")
                possible(member)
    elif shape.type_name == "list":
        possible(shape.member)
    elif shape.type_name == "map":
        possible(shape.value)


def read(row, wrong):
    service, action, body = row["api"], row["action"], row["body"]
    operation = model(service).operation_model(action)
    shape = operation.output_shape
    parser = botocore.parsers.create_parser(model(service).metadata["protocol"])
    answer = {"status_code": row["status"], "headers": {}, "body": body.encode()}
    parsed = parser.parse(answer, shape)
    if row["status"] != 200:
        return parsed["Error"]["Code"], parsed["Error"]["Message"]
    metadata = parsed.pop("ResponseMetadata", {})
    if body.startswith("<"):
        if metadata.get("RequestId") != "{request}":
            wrong.append(f"{action} has no request id")
        root = ElementTree.fromstring(body)
        results = [it for it in root if not it.tag.endswith("}ResponseMetadata")]
        if shape is None:
            if results:
                wrong.append(f"{action} has a result")
            return None
        tree = xml_tree(results[0], shape, action, wrong)
    else:
        tree = json.loads(body)
        if shape is None:
            return None
    possible(shape)
    check(shape, tree, action, wrong)
    same(shape, tree, parsed, action, wrong)
    return None


def main(corpus):
    rows, lines = ((corpus / file).read_text(encoding="utf-8").replace("{home}", "111122223333")
                   for file in ("answers.json", "matrix.txt"))
    rows, lines = json.loads(rows), lines.splitlines()[1:]
    matrix = dict((tuple(line.split(" | ", 2)[:2]), line.split(" | ", 2)[2]) for line in lines)
    wrong, seen = [], set()
    for row in rows:
        name, to = f"{row['api']}:{row['action']}", row["to"]
        found = []
        refusal = read(row, found)
        wrong += [f"{name} to {to}: {it}" for it in found]
        if to == "fuller":
            continue
        seen.add((name, to))
        told = "200" if refusal is None else f"{row['status']} {refusal[0]} {refusal[1]}".strip()
        if told != matrix.get((name, to)):
            wrong.append(f"{name} to {to}: {told!r}, not {matrix.get((name, to))!r}")
    wrong += [f"{name} to {to} is not recorded" for name, to in matrix.keys() - seen]
    missing = sorted(POSSIBLE - SEEN)
    never = [glob for globs in json.loads((corpus / "never.json").read_text(encoding="utf-8")).values() for glob in globs]
    wrong += [f"no answer has {it}" for it in missing if not any(fnmatch.fnmatchcase(it, glob) for glob in never)]
    wrong += [f"{glob} is in an answer, or nowhere in the model" for glob in never if not fnmatch.filter(missing, glob)]
    print(json.dumps({"read": len(rows), "wrong": wrong}))


main(pathlib.Path(sys.argv[1]))
