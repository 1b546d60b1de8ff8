#!/usr/bin/env python3
"""Writes the table "operator x presence of the key" of the IAM language, one file per operator.

The expectations follow the table's words (below, as code), not the engine. Run it from this folder
after adding an operator; the files it writes are the data that tests read.
"""
import json

YES_NO = {  # operator: (wanted, a value that satisfies, a value that does not)
    "StringEquals": ("a", "a", "b"),
    "StringNotEquals": ("a", "b", "a"),
    "StringEqualsIgnoreCase": ("a", "A", "b"),
    "StringNotEqualsIgnoreCase": ("a", "b", "A"),
    "StringLike": ("a*", "ab", "ba"),
    "StringNotLike": ("a*", "ba", "ab"),
    "NumericEquals": ("10", "10.0", "11"),
    "NumericNotEquals": ("10", "11", "10.0"),
    "NumericLessThan": ("10", "9", "10"),
    "NumericLessThanEquals": ("10", "10", "11"),
    "NumericGreaterThan": ("10", "11", "10"),
    "NumericGreaterThanEquals": ("10", "10", "9"),
    "DateEquals": ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-02T00:00:00Z"),
    "DateNotEquals": ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T01:00:00+01:00"),
    "DateLessThan": ("2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
    "DateLessThanEquals": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
    "DateGreaterThan": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z"),
    "DateGreaterThanEquals": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"),
    "Bool": ("true", "TRUE", "false"),
    "BinaryEquals": ("QmluYXJ5", "QmluYXJ5", "T3RoZXI="),
    "IpAddress": ("203.0.113.0/24", "203.0.113.9", "198.51.100.1"),
    "NotIpAddress": ("203.0.113.0/24", "198.51.100.1", "203.0.113.9"),
    "ArnEquals": ("arn:aws:iam::1:role/*", "arn:aws:iam::1:role/r", "arn:aws:iam::2:role/r"),
    "ArnLike": ("arn:aws:iam::1:role/*", "arn:aws:iam::1:role/r", "arn:aws:iam::2:role/r"),
    "ArnNotEquals": ("arn:aws:iam::1:role/*", "arn:aws:iam::2:role/r", "arn:aws:iam::1:role/r"),
    "ArnNotLike": ("arn:aws:iam::1:role/*", "arn:aws:iam::2:role/r", "arn:aws:iam::1:role/r"),
}
SINGLE, LIST = "aws:PrincipalTag/k", "aws:TagKeys"


def rows(operator):
    wanted, yes, no = YES_NO[operator]
    negated = "Not" in operator

    def row(name, test, key, had, holds, how):
        context = {} if had is None else {key: had}
        return {"name": name, "if": {test: {key: wanted}}, "context": context, "holds": holds, "how": how}

    # No prefix: a missing key is false, for negated operators true; IfExists makes it true.
    for suffix in ("", "IfExists"):
        test = operator + suffix
        yield row(f"{test}, key missing", test, SINGLE, None, negated or bool(suffix), "key-missing")
        yield row(f"{test}, satisfied", test, SINGLE, yes, True, "compared")
        yield row(f"{test}, not satisfied", test, SINGLE, no, False, "compared")
        # A list-typed key without a set prefix is false, whatever it holds, for every form.
        yield row(f"{test}, list-typed key with one satisfying value", test, LIST, [yes], False, "list-without-set-prefix")
        yield row(f"{test}, list-typed key missing", test, LIST, None, negated or bool(suffix), "key-missing")
        yield row(f"{test}, list-typed key empty", test, LIST, [], False, "list-without-set-prefix")
    for suffix in ("", "IfExists"):
        # ForAllValues: true of a missing key and of an empty list; else of every value.
        test = "ForAllValues:" + operator + suffix
        yield row(f"{test}, key missing", test, LIST, None, True, "key-missing")
        yield row(f"{test}, empty", test, LIST, [], True, "empty-list")
        yield row(f"{test}, all satisfy", test, LIST, [yes, yes], True, "compared")
        yield row(f"{test}, one does not", test, LIST, [yes, no], False, "compared")
        yield row(f"{test}, single-valued key as a list of one", test, SINGLE, no, False, "compared")
        # ForAnyValue: false of a missing key, also with IfExists; else of at least one value.
        test = "ForAnyValue:" + operator + suffix
        yield row(f"{test}, key missing", test, LIST, None, False, "key-missing")
        yield row(f"{test}, empty", test, LIST, [], False, "empty-list")
        yield row(f"{test}, one satisfies", test, LIST, [no, yes], True, "compared")
        yield row(f"{test}, none does", test, LIST, [no, no], False, "compared")
        yield row(f"{test}, single-valued key as a list of one", test, SINGLE, yes, True, "compared")


for operator in YES_NO:
    lines = ",\n".join("    " + json.dumps(row) for row in rows(operator))
    with open(f"{operator}.json", "w") as file:
        file.write('{\n  "rule": "A6 presence table",\n  "conditions": [\n' + lines + "\n  ]\n}\n")
