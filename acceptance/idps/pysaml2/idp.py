#!/usr/bin/env python3
"""A SAML identity provider on pysaml2, which signs through the xmlsec1 program.

Usage: idp.py FOLDER        keys are made there by openssl. The first line says {"metadata": …}; then one
response per line of JSON on stdin: attributes, and how to sign and encrypt.
"""

import base64
import functools
import json
import subprocess
import sys

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, entity, saml, sigver, xmldsig
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.server import Server

FOLDER = sys.argv[1]
IDP = "https://pysaml2.example/idp"
ACS = "https://signin.aws.amazon.com/saml"
SERVICE = "urn:amazon:webservices"
# What xmlsec1 calls the session keys of the ciphers.
SESSION_KEYS = {"tripledes-cbc": "des-192", "aes128": "aes-128", "aes192": "aes-192", "aes256": "aes-256"}
XMLENC, XMLENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"


def key(name):
    path = f"{FOLDER}/{name}"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-subj",
         f"/CN={name}", "-keyout", f"{path}.key", "-out", f"{path}.crt"], check=True, capture_output=True)
    return "".join(open(f"{path}.crt").read().split("-----")[2].split())


key("sign")
service = key("service")
metadata = f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{SERVICE}"><md:SPSSODescriptor
protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true"><md:KeyDescriptor use="encryption"><ds:KeyInfo
xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{service}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
</md:KeyDescriptor><md:AssertionConsumerService index="1" isDefault="true" Binding="{BINDING_HTTP_POST}" Location="{ACS}"/>
</md:SPSSODescriptor></md:EntityDescriptor>"""
config = IdPConfig().load({
    "entityid": IDP,
    "xmlsec_binary": sigver.get_xmlsec_binary(["/usr/bin", "/usr/local/bin"]),
    "key_file": f"{FOLDER}/sign.key",
    "cert_file": f"{FOLDER}/sign.crt",
    "metadata": {"inline": [metadata]},
    "service": {"idp": {
        "name": "acceptance",
        "endpoints": {"single_sign_on_service": [(f"{IDP}/sso", BINDING_HTTP_REDIRECT)]},
        "policy": {"default": {
            "lifetime": {"minutes": 10},
            "attribute_restrictions": None,
            "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
        }},
    }},
})
server = Server(config=config)
print(json.dumps({
    "metadata": str(entity_descriptor(config)),
    "private_key": open(f"{FOLDER}/service.key").read(),
}), flush=True)

encrypt_assertion = server.sec.encrypt_assertion


def encrypt_by(cipher):
    """pysaml2 can encrypt by any cipher of xmlsec1, but has no setting for it."""
    session_key = SESSION_KEYS.get(cipher) or SESSION_KEYS[cipher.partition("-")[0]]
    uri = (XMLENC11 if cipher.endswith("gcm") else XMLENC) + cipher
    entity.pre_encryption_part = functools.partial(sigver.pre_encryption_part, msg_enc=uri)
    server.sec.encrypt_assertion = functools.partial(encrypt_assertion, key_type=session_key)


def respond(asked):
    how = asked["how"]
    algorithm = how.get("algorithm", "sha256")
    encrypt_by(how.get("encrypt") or "tripledes-cbc")
    return str(server.create_authn_response(
        asked["attributes"],
        in_response_to=None,
        destination=ACS,
        sp_entity_id=SERVICE,
        name_id=saml.NameID(format=how.get("format", saml.NAMEID_FORMAT_PERSISTENT), text=asked["subject"]),
        authn={"class_ref": saml.AUTHN_PASSWORD_PROTECTED, "authn_auth": IDP},
        sign_assertion=how.get("sign_assertion", True),
        sign_response=how.get("sign_response", True),
        encrypt_assertion="encrypt" in how,
        encrypt_assertion_self_contained=True,
        sign_alg=getattr(xmldsig, f"SIG_RSA_{algorithm.upper()}"),
        digest_alg=getattr(xmldsig, f"DIGEST_{how.get('digest', algorithm).upper()}"),
    ))


for line in sys.stdin:
    try:
        answer = {"response": base64.b64encode(respond(json.loads(line)).encode()).decode()}
    except Exception as error:  # told to the test, which knows whether it must be so
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
