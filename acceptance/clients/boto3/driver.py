"""boto3, unmodified, as a server of calls: one JSON object per line in, one per line out.

{"service": "iam", "operation": "create_role", "parameters": {…}, "credentials": {…} or null}
  -> {"result": {…}}   or   {"error": {"code", "message", "status", "headers"}}

The endpoint and the region come from the environment, as they would for anyone.
"""

import base64
import json
import sys

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

clients = {}


def client(service, credentials):
    """One client per service and credentials, so that connections are kept."""
    key = (service, json.dumps(credentials))
    if key not in clients:
        once = {"max_attempts": 1, "mode": "standard"}
        if credentials is None:
            clients[key] = boto3.client(service, config=Config(retries=once, signature_version=UNSIGNED))
        else:
            clients[key] = boto3.client(
                service,
                aws_access_key_id=credentials["access_key_id"],
                aws_secret_access_key=credentials["secret_access_key"],
                aws_session_token=credentials.get("session_token"),
                config=Config(retries=once),
            )
    return clients[key]


def answer(call):
    """Makes the call and shows what boto3 made of the answer."""
    try:
        made = client(call["service"], call.get("credentials"))
        result = getattr(made, call["operation"])(**call.get("parameters", {}))
        return {"result": result}
    except ClientError as refused:
        told = refused.response
        return {
            "error": {
                "code": told["Error"].get("Code", ""),
                "message": told["Error"].get("Message", ""),
                "status": told["ResponseMetadata"]["HTTPStatusCode"],
                "headers": told["ResponseMetadata"]["HTTPHeaders"],
            }
        }
    except Exception as failed:  # a lost connection, an answer boto3 cannot read
        return {"error": {"code": type(failed).__name__, "message": str(failed), "status": 0, "headers": {}}}


def shown(value):
    """What JSON has no form for: bytes in base64, times as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=shown), flush=True)
