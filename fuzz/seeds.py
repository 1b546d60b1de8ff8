#!/usr/bin/env python3
"""Writes the seeds of every fuzz target, from the repository's corpus, to fuzz/corpus/<target>/."""

import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent / "corpus"
KINDS = ["identity", "boundary", "session", "trust", "resource", "scp", "rcp"]
DECIDE_KINDS = ["identity", "session", "trust", "resource", "rcp"]
PRINCIPALS = ["user", "role", "federated", "root", "anonymous", "service", "oidc", "saml"]
# The order of KEYS in fuzz_targets/policy_decide.rs.
KEYS = [
    "aws:username", "aws:PrincipalTag/team", "aws:ResourceTag/team", "aws:RequestTag/team", "aws:TagKeys",
    "aws:CalledVia", "sts:TransitiveTagKeys", "aws:SourceIp", "aws:CurrentTime", "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent", "aws:PrincipalArn", "aws:FederatedProvider", "idp.example/p:sub",
    "idp.example/p:amr", "x:Any",
]


def seed(target, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def letter(key):
    """A printable character that stands for the key, or None."""
    lower = [known.lower() for known in KEYS]
    return chr(lower.index(key.lower()) + 64) if key.lower() in lower else None


def decide(kind, principal, action, resource, context, document):
    lines = [f"{DECIDE_KINDS.index(kind)}{principal}", action, resource]
    for key, values in context.items():
        name = letter(key) or "O"
        if isinstance(values, list):
            lines += [f"{name}+{value}" for value in values]
        else:
            lines.append(f"{name}={values}")
    text = "\n".join([*lines, "", json.dumps(document)])
    seed("policy_decide", text.encode())
    # Session kind: judged loosely, as all documents of this target are.
    seed("policy_json", bytes([0x80 + (KINDS.index(kind) - 0x80) % 7]) + json.dumps(document).encode())


def policies():
    for path in sorted((CORPUS / "policy").rglob("*.json")):
        file = json.loads(path.read_text())
        for case in file.get("documents", []):
            text = case["text"] if "text" in case else json.dumps(case["document"])
            choice = KINDS.index(case["kind"])
            seed("policy_json", bytes([choice]) + text.encode())
        for case in file.get("conditions", []):
            for effect in ("Allow", "Deny"):
                statement = {"Effect": effect, "Action": "*", "Resource": "*", "Condition": case["if"]}
                document = {"Version": case.get("version", "2012-10-17"), "Statement": statement}
                context = case.get("context", {})
                decide("identity", 0, "s3:GetObject", "arn:aws:s3:::b/k", context, document)
        for case in file.get("cases", []):
            who = case["principal"].replace("/", ":").split(":")[0].split("@")[0]
            for kind in DECIDE_KINDS:
                for document in case.get("policies", {}).get(kind) or []:
                    for one in document if isinstance(document, list) else [document]:
                        decide(kind, PRINCIPALS.index(who), case["action"], case["resource"],
                               case.get("context", {}), one)


def tokens():
    for path in sorted((CORPUS / "tokens" / "oidc").glob("*.json")):
        case = json.loads(path.read_text())
        token = case.get("token", "")
        seed("jws", b"\0" + token.encode())
        jwks = case.get("jwks")
        seed("jws", b"\2" + (jwks if isinstance(jwks, str) else json.dumps(jwks)).encode())
        parts = token.split(".")
        if len(parts) == 3:
            import base64

            try:
                raw = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts[:2]]
                seed("jws", b"\1" + raw[0] + b"\n" + raw[1])
            except ValueError:
                pass
    discovery = {"issuer": "https://idp.example/tenant", "jwks_uri": "https://idp.example/tenant/jwks"}
    seed("jws", b"\3" + json.dumps(discovery).encode())


def saml():
    response = (CORPUS / "saml" / "response.xml").read_text()
    signature = (CORPUS / "saml" / "signature.xml").read_text().strip()
    signed = response.replace("{{sign:_a1}}", signature).replace("{{sign:_r1}}", "")
    seed("saml_xml", b"\0" + signed.encode())
    for path in sorted((CORPUS / "saml").glob("*/*.json")):
        text = signed
        recipe = json.loads(path.read_text())["recipe"]
        for what, by, *times in recipe.get("edit", []) + recipe.get("alter", []):
            text = text.replace(what, by * min(times[0] if times else 1, 50), 1)
        seed("saml_xml", b"\0" + text.encode())
    certificate = "".join((CORPUS / "saml/keys/idp.crt").read_text().splitlines()[1:-1])
    seed("saml_xml", b"\1" + (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><md:IDPSSODescriptor '
        'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo '
        'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>' + certificate +
        '</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>'
    ).encode())


def requests():
    for name in ("suite", "botocore"):
        for vector in json.loads((CORPUS / "sigv4" / f"{name}.json").read_text())["vectors"]:
            request = vector["request"]
            lines = [f"{request['method']} {request['target']}"]
            lines += [f"{name}: {value}" for name, value in request["headers"]]
            seed("sigv4_header", "\n".join(lines).encode() + b"\0" + request.get("body", "").encode())
    for vector in json.loads((CORPUS / "wire" / "calls.json").read_text())["vectors"]:
        body = vector["request"].get("body", "")
        seed("query_params", body.encode())


policies()
tokens()
saml()
requests()
for folder in sorted((HERE / "corpus").iterdir()):
    print(f"{folder.name}: {len(list(folder.iterdir()))} seeds")
