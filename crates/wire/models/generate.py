#!/usr/bin/env python3
"""Writes the operation tables (sts.json, iam.json, cloudtrail.json, organizations.json) from the
published API models.

    pip download botocore==1.44.5 --no-deps --dest /tmp/models
    python3 generate.py /tmp/models/botocore-1.44.5-py3-none-any.whl

Kept: what decoding and checking an input needs. Left out: documentation, output shapes, endpoints.
One line per operation, error and shape, so that a new model shows as a readable difference.
"""

import gzip
import json
import pathlib
import sys
import zipfile

# Members whose content must not be echoed or recorded. The models mark some; these are the ones they
# miss: one-time codes, passwords, tokens, and messages that only their owner may read.
SENSITIVE_MEMBERS = {
    "TokenCode", "AuthenticationCode1", "AuthenticationCode2", "WebIdentityToken", "SAMLAssertion",
    "TradeInToken", "ContextAssertion", "EncodedMessage", "Password", "OldPassword", "NewPassword",
    "PrivateKey", "AssertionEncryptionPrivateKey", "AddPrivateKey",
}

# In the IAM model some errors carry no wire code; AWS sends the shape's name.
DEFAULT_STATUS = 400


def main(wheel):
    for service in ("sts", "iam", "cloudtrail", "organizations"):
        model, source = read(wheel, service)
        path = pathlib.Path(__file__).parent / f"{service}.json"
        path.write_text(render(table(model, source)), encoding="utf-8")
        print(path.name, path.stat().st_size)


def read(wheel, service):
    with zipfile.ZipFile(wheel) as archive:
        name = max(n for n in archive.namelist()
                   if n.startswith(f"botocore/data/{service}/") and "/service-2.json" in n)
        raw = archive.read(name)
        version = next(n for n in archive.namelist() if n.endswith("METADATA"))
        version = archive.read(version).decode().split("\nVersion: ")[1].split("\n")[0]
    if name.endswith(".gz"):
        raw = gzip.decompress(raw)
    return json.loads(raw), f"botocore {version}"


def table(model, source):
    meta, shapes = model["metadata"], model["shapes"]
    used, errors, operations = {}, {}, {}

    def walk(name, trail):
        assert name not in trail, f"recursive shape {name}"
        shape = shapes[name]
        kind = shape["type"]
        row = {"type": kind}
        for key in ("min", "max", "pattern", "enum"):
            if key in shape:
                row[key] = shape[key]
        if shape.get("sensitive"):
            row["sensitive"] = True
        if kind == "structure":
            required = set(shape.get("required", ()))
            # [name, shape, flags]: r = required, s = sensitive
            row["members"] = []
            for member, target in shape["members"].items():
                assert set(target) <= {"shape", "documentation", "deprecated", "deprecatedMessage"}
                flags = ("r" if member in required else "") + (
                    "s" if member in SENSITIVE_MEMBERS else "")
                row["members"].append([member, target["shape"]] + ([flags] if flags else []))
                walk(target["shape"], trail | {name})
        elif kind == "list":
            row["member"] = shape["member"]["shape"]
            walk(row["member"], trail | {name})
        elif kind == "map":
            row["key"], row["value"] = shape["key"]["shape"], shape["value"]["shape"]
            walk(row["key"], trail | {name})
            walk(row["value"], trail | {name})
        else:
            assert kind in ("string", "integer", "long", "boolean", "timestamp"), kind
        used[name] = row

    for name, operation in sorted(model["operations"].items()):
        row = {}
        if "input" in operation:
            row["input"] = operation["input"]["shape"]
            walk(row["input"], frozenset())
        if "output" in operation:
            row["result"] = operation["output"].get("resultWrapper", name + "Result")
        if operation.get("authtype") == "none":
            row["unsigned"] = True
        row["errors"] = [e["shape"] for e in operation.get("errors", ())]
        for error in row["errors"]:
            spec = shapes[error].get("error", {})
            errors[error] = {"code": spec.get("code", error),
                             "status": spec.get("httpStatusCode", DEFAULT_STATUS)}
        operations[name] = row

    return {
        "source": source,
        "service": meta["endpointPrefix"],
        "version": meta["apiVersion"],
        "namespace": meta.get("xmlNamespace", ""),
        "target": meta.get("targetPrefix", ""),
        "operations": operations,
        "errors": dict(sorted(errors.items())),
        "shapes": dict(sorted(used.items())),
    }


def render(table):
    compact = lambda value: json.dumps(value, separators=(",", ":"))
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"{compact(k)}:{compact(v)}" for k, v in value.items())
            lines.append(f"{compact(key)}:{{\n{rows}\n}}")
        else:
            lines.append(f"{compact(key)}:{compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main(sys.argv[1])
