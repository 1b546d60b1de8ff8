#!/usr/bin/env python3
"""Writes suite.json and botocore.json: signed requests, as an independent signer (botocore) signs them.

    pip install botocore==1.44.5
    python3 generate.py

suite.json rebuilds the requests of AWS's published SigV4 test suite; where `published` is given, the
signature is the one that AWS published, and botocore must arrive at it too. botocore.json holds
requests as botocore's signers of the several services and forms send them.
"""

import datetime
import json
import pathlib
from unittest import mock

import botocore
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERE = pathlib.Path(__file__).parent
SUITE_KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SUITE_TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
NOW = "20150830T123600Z"
CLOCK = datetime.datetime(2015, 8, 30, 12, 36, 0)
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHINESE = "\u1234"


def sign(signer, method, url, headers=(), body="", token=None, **options):
    request = AWSRequest(method=method, url=url, data=body.encode())
    for name, value in headers:
        request.headers[name] = value  # appends
    credentials = Credentials(*SUITE_KEY, token)
    service = options.pop("service", "service")
    region = options.pop("region", "us-east-1")
    if options.pop("expires", None) is not None:
        signer_object = signer(credentials, service, region, expires=3600)
    else:
        signer_object = signer(credentials, service, region)
    with mock.patch("botocore.auth.get_current_datetime", lambda: CLOCK):
        signer_object.add_auth(request)
    target = request.url.split("example.amazonaws.com", 1)[1]
    sent = [["Host", "example.amazonaws.com"]]
    sent += [[n, v] for n, v in request.headers.items() if n.lower() != "host"]
    return {"method": method, "target": target, "headers": sent, "body": body}


def signature(request):
    for name, value in request["headers"]:
        if name.lower() == "authorization":
            return value.rsplit("Signature=", 1)[1]
    return request["target"].rsplit("X-Amz-Signature=", 1)[1]


def vector(name, request, style="plain", service="service", published=None, **more):
    if published:
        assert signature(request) == published, (name, signature(request))
    row = {"name": name, "style": style, "service": service, "now": NOW,
           "access_key_id": SUITE_KEY[0], "secret": SUITE_KEY[1], "request": request}
    if published:
        row["published"] = published
    return row | more


def suite():
    base = "https://example.amazonaws.com"
    plain = auth.SigV4Auth

    class Unnormalized(auth.SigV4Auth):
        """Paths as they are, for the suite's `-unnormalized` cases; our S3 style."""

        def _normalize_url_path(self, path):
            return path

    get = lambda path="/", headers=(), **more: sign(plain, "GET", base + path, headers, **more)
    rows = [
        vector("get-vanilla", get(),
               published="5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        vector("get-header-key-duplicate",
               get(headers=[("My-Header1", "value2"), ("My-Header1", "value2"),
                            ("My-Header1", "value1")]),
               published="c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        vector("get-header-value-order",
               get(headers=[("My-Header1", v) for v in ("value4", "value1", "value3", "value2")])),
        vector("get-header-value-trim",
               get(headers=[("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')]),
               published="acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        vector("get-relative-normalized", get("/example/..")),
        vector("get-relative-relative-normalized", get("/example1/example2/../..")),
        vector("get-slash-normalized", get("//")),
        vector("get-slash-dot-slash-normalized", get("/./"),
               published="5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        vector("get-slash-pointless-dot-normalized", get("/./example")),
        vector("get-slashes-normalized", get("//example//")),
        vector("get-slashes-unnormalized",
               sign(Unnormalized, "GET", base + "//example//"), style="s3",
               published="87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
        vector("get-unreserved", get("/" + UNRESERVED)),
        vector("get-utf8", get("/" + CHINESE),
               published="8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        vector("get-vanilla-empty-query-key", get("/?Param1=value1")),
        vector("get-vanilla-query-order-key", get("/?Param1=value2&Param1=Value1")),
        vector("get-vanilla-query-order-key-case", get("/?Param2=value2&Param1=value1")),
        vector("get-vanilla-query-order-value", get("/?Param1=value2&Param1=value1")),
        vector("get-vanilla-query-order-encoded",
               get("/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1"),
               published="371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
        vector("get-vanilla-query-unreserved", get(f"/?{UNRESERVED}={UNRESERVED}")),
        vector("get-vanilla-utf8-query", get("/?%E1%88%B4=bar")),
        vector("get-vanilla-with-session-token", get(token=SUITE_TOKEN),
               published="07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
        vector("post-vanilla", sign(plain, "POST", base + "/")),
        vector("post-vanilla-query", sign(plain, "POST", base + "/?Param1=value1")),
        vector("post-header-key-sort",
               sign(plain, "POST", base + "/", [("My-Header1", "value1")])),
        vector("post-header-value-case",
               sign(plain, "POST", base + "/", [("My-Header1", "VALUE1")])),
        vector("post-x-www-form-urlencoded",
               sign(plain, "POST", base + "/",
                    [("Content-Type", "application/x-www-form-urlencoded"),
                     ("Content-Length", "13"),
                     ("x-amz-content-sha256",
                      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e")],
                    "Param1=value1"),
               published="d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"),
    ]
    return {"source": "requests of the AWS SigV4 test suite, signed by botocore "
                      + botocore.__version__, "vectors": rows}


def services():
    base = "https://example.amazonaws.com"
    form = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    call = "Action=GetCallerIdentity&Version=2011-06-15"
    query, s3, s3_query = auth.SigV4QueryAuth, auth.S3SigV4Auth, auth.S3SigV4QueryAuth
    sts = {"service": "sts"}
    rows = [
        vector("sts post", sign(auth.SigV4Auth, "POST", base + "/", form, call, **sts), **sts),
        vector("sts post in another region",
               sign(auth.SigV4Auth, "POST", base + "/", form, call, region="eu-central-1", **sts),
               **sts),
        vector("sts post with session token",
               sign(auth.SigV4Auth, "POST", base + "/", form, call, token="FwoG" + "x+/=" * 150,
                    **sts), **sts),
        vector("sts presigned",
               sign(query, "GET", base + "/?" + call, expires=1, **sts), **sts),
        vector("sts presigned with session token and a signed header",
               sign(query, "GET", base + "/?" + call, [("x-k8s-aws-id", "cluster")],
                    token="FwoG" + "x+/=" * 150, expires=1, **sts), **sts),
        vector("double encoded path",
               sign(auth.SigV4Auth, "GET", base + "/a%20b/c%2Fd/%C3%A4?x=%20y&a=b%2Bc", **sts), **sts),
        vector("s3 put", sign(s3, "PUT", base + "/bucket/a%20b//c~d/%C3%A4", body="hello",
                              service="s3"), style="s3", service="s3", payload="declared"),
        vector("s3 presigned", sign(s3_query, "GET", base + "/bucket/a%20b//c", expires=1,
                                    service="s3"), style="s3", service="s3", payload="declared"),
    ]
    return {"source": "signed by botocore " + botocore.__version__, "vectors": rows}


def write(name, content):
    rows = ",\n".join(json.dumps(v) for v in content["vectors"])
    text = '{"source": %s,\n"vectors": [\n%s\n]}\n' % (json.dumps(content["source"]), rows)
    (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write("suite.json", suite())
    write("botocore.json", services())
