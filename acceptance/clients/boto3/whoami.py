"""Who am I, by boto3's default credential chain."""

import json

import boto3
from botocore.exceptions import ClientError

try:
    identity = boto3.client("sts").get_caller_identity()
    print(json.dumps({name: identity[name] for name in ("Account", "Arn", "UserId")}))
except ClientError as refused:
    error = refused.response["Error"]
    print(json.dumps({"Code": error["Code"], "Message": error["Message"]}))
