#!/usr/bin/env python3
"""A SAML identity provider on pysaml2, which signs through the xmlsec1 program.

Usage: idp.py FOLDER        keys are made there by openssl. The first line says {"metadata": …}; then one
response per line of JSON on stdin: attributes, and how to sign and encrypt.
"""

import base64
import json
import subprocess
import sys

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml, sigver, xmldsig
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.server import Server

FOLDER = sys.argv[1]
IDP = "https://pysaml2.example/idp"
ACS = "https://signin.aws.amazon.com/saml"
SERVICE = "urn:amazon:webservices"
ALGORITHMS = {
    "sha256": (xmldsig.SIG_RSA_SHA256, xmldsig.DIGEST_SHA256),
    "sha512": (xmldsig.SIG_RSA_SHA512, xmldsig.DIGEST_SHA512),
    "sha1": (xmldsig.SIG_RSA_SHA1, xmldsig.DIGEST_SHA1),
}


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

for line in sys.stdin:
    asked = json.loads(line)
    how = asked["how"]
    algorithm, digest = ALGORITHMS[how.get("algorithm", "sha256")]
    response = server.create_authn_response(
        asked["attributes"],
        in_response_to=None,
        destination=ACS,
        sp_entity_id=SERVICE,
        name_id=saml.NameID(format=saml.NAMEID_FORMAT_PERSISTENT, text=asked["subject"]),
        authn={"class_ref": saml.AUTHN_PASSWORD_PROTECTED, "authn_auth": IDP},
        sign_assertion=how.get("sign_assertion", True),
        sign_response=how.get("sign_response", True),
        encrypt_assertion=how.get("encrypt", False),
        encrypt_assertion_self_contained=True,
        sign_alg=algorithm,
        digest_alg=digest,
    )
    print(json.dumps({"response": base64.b64encode(str(response).encode()).decode()}), flush=True)
