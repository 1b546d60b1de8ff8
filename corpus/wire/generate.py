#!/usr/bin/env python3
"""Writes what botocore sends.

    pip install botocore==1.44.5
    python3 generate.py

calls.json: STS, IAM and CloudTrail calls, byte for byte, with the answers that botocore reads as `output`.
Each answer's body is written here by hand, as AWS shapes it, and kept only if botocore's own parser
makes `output` of it. The crate's tests decode each request to `input` and write each body from `output`.

requests.json: of every action, the body for its smallest input (minimal.json) and for a fuller one
(fuller.json); names in braces are left for the tests to fill in. paginators.json: which members
of an action page its answer.
"""

import datetime
import functools
import json
import pathlib
from unittest import mock

import botocore.awsrequest
import botocore.config
import botocore.session

HERE = pathlib.Path(__file__).parent
CLOCK = datetime.datetime(2026, 1, 1, 0, 0, 0)
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ID = "c6104cbe-af31-11e0-8154-cbc7ccf896c7"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
ROLE = "arn:aws:iam::111122223333:role/developer"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"*"}}]}'


def query(namespace, name, result):
    result = f"<{name}Result>{result}</{name}Result>" if result else (
        "" if result is None else f"<{name}Result/>")
    return (f'<{name}Response xmlns="{namespace}">{result}<ResponseMetadata><RequestId>{ID}'
            f"</RequestId></ResponseMetadata></{name}Response>")


CREDENTIALS = ("<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s+/=</SecretAccessKey>"
               "<SessionToken>FwoG&amp;&lt;&gt;</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration>"
               "</Credentials>")

READ = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}')
LATER = ('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
         '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}')
BUCKET = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
          '"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}')


def matched(policy, kind, end):
    return (f"<member><SourcePolicyId>{policy}</SourcePolicyId><SourcePolicyType>{kind}</SourcePolicyType>"
            "<StartPosition><Line>1</Line><Column>38</Column></StartPosition>"
            f"<EndPosition><Line>1</Line><Column>{end}</Column></EndPosition></member>")


def details(**decisions):
    entries = "".join(f"<entry><key>{kind.replace('_', ' ')}</key><value>{decision}</value></entry>"
                      for kind, decision in decisions.items())
    return f"<EvalDecisionDetails>{entries}</EvalDecisionDetails>"


BOUNDED = ("<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>true</AllowedByPermissionsBoundary>"
           "</PermissionsBoundaryDecisionDetail>")
BOTH = matched("ResourcePolicy", "Resource Policy", 163) + matched("PolicyInputList.1", "IAM Policy", 95)
SAID = details(IAM_Policy="allowed", Permissions_Boundary_Policy="allowed", Resource_Policy="allowed")


CALLS = [
    ("sts", "GetCallerIdentity", {}, 200, query(
        STS, "GetCallerIdentity",
        "<UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account>"
        "<Arn>arn:aws:iam::111122223333:user/anna</Arn>")),
    ("sts", "AssumeRole", {
        "RoleArn": ROLE, "RoleSessionName": "anna@example.com", "DurationSeconds": 900,
        "Policy": '{"Version":"2012-10-17","Statement":[]}',
        "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        "Tags": [{"Key": f"k{n}", "Value": f"v / {n}"} for n in range(1, 13)],
        "TransitiveTagKeys": ["k1", "k2"],
    }, 200, query(STS, "AssumeRole", CREDENTIALS
                  + "<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:anna@example.com</AssumedRoleId>"
                  "<Arn>arn:aws:sts::111122223333:assumed-role/developer/anna@example.com</Arn></AssumedRoleUser>"
                  "<PackedPolicySize>25</PackedPolicySize>")),
    ("sts", "AssumeRoleWithWebIdentity", {
        "RoleArn": ROLE, "RoleSessionName": "ci", "WebIdentityToken": "eyJh.eyJz.c2ln"},
     200, query(STS, "AssumeRoleWithWebIdentity", CREDENTIALS
                + "<SubjectFromWebIdentityToken>repo:o/r:ref:refs/heads/main</SubjectFromWebIdentityToken>"
                "<Audience>sts.amazonaws.com</Audience>")),
    ("sts", "AssumeRoleWithWebIdentity", {
        "RoleArn": ROLE, "RoleSessionName": "ci", "WebIdentityToken": "eyJh.eyJz.c2ln"},
     400, f'<ErrorResponse xmlns="{STS}"><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code>'
          "<Message>No OpenIDConnect provider found in your account for https://a?b&amp;c</Message>"
          f"</Error><RequestId>{ID}</RequestId></ErrorResponse>"),
    ("iam", "CreateRole", {
        "RoleName": "developer", "Path": "/team/", "AssumeRolePolicyDocument": TRUST,
        "MaxSessionDuration": 7200, "Tags": [{"Key": "access-project", "Value": "heart"}]},
     200, query(IAM, "CreateRole",
                "<Role><Path>/team/</Path><RoleName>developer</RoleName><RoleId>AROAEXAMPLE</RoleId>"
                f"<Arn>{ROLE}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
                "<Tags><member><Key>access-project</Key><Value>heart</Value></member></Tags></Role>")),
    ("iam", "SimulateCustomPolicy", {
        "PolicyInputList": [LATER], "ActionNames": ["dynamodb:CreateBackup", "s3:ListAllMyBuckets"],
        "MaxItems": 1, "ContextEntries": [{"ContextKeyName": "aws:CurrentTime", "ContextKeyType": "date",
                                           "ContextKeyValues": ["2019-04-25T11:00:00Z"]}]},
     200, query(IAM, "SimulateCustomPolicy",
                "<EvaluationResults><member><EvalActionName>dynamodb:CreateBackup</EvalActionName>"
                "<EvalResourceName>*</EvalResourceName><EvalDecision>allowed</EvalDecision><MatchedStatements>"
                + matched("PolicyInputList.1", "IAM Policy", 167)
                + "</MatchedStatements><MissingContextValues/></member></EvaluationResults>"
                "<IsTruncated>true</IsTruncated><Marker>simulation-1</Marker>")),
    ("iam", "SimulateCustomPolicy", {
        "PolicyInputList": [READ], "PermissionsBoundaryPolicyInputList": [READ], "ActionNames": ["s3:GetObject"],
        "OrderedOrganizationPolicyInputList": [{"ServiceControlPolicyInputList": [READ]}],
        "ResourceArns": ["arn:aws:s3:::b/k"], "ResourcePolicy": BUCKET,
        "ResourceOwner": "arn:aws:iam::999999999999:root", "CallerArn": "arn:aws:iam::111122223333:user/anna"},
     200, query(IAM, "SimulateCustomPolicy",
                "<EvaluationResults><member><EvalActionName>s3:GetObject</EvalActionName>"
                "<EvalResourceName>arn:aws:s3:::b/k</EvalResourceName><EvalDecision>allowed</EvalDecision>"
                f"<MatchedStatements>{BOTH}</MatchedStatements><MissingContextValues/>"
                "<OrganizationsDecisionDetail><AllowedByOrganizations>true</AllowedByOrganizations>"
                f"</OrganizationsDecisionDetail>{BOUNDED}{SAID}<ResourceSpecificResults><member>"
                "<EvalResourceName>arn:aws:s3:::b/k</EvalResourceName>"
                "<EvalResourceDecision>allowed</EvalResourceDecision>"
                f"<MatchedStatements>{BOTH}</MatchedStatements>{SAID}{BOUNDED}</member></ResourceSpecificResults>"
                "</member></EvaluationResults><IsTruncated>false</IsTruncated>")),
    ("iam", "GetContextKeysForCustomPolicy", {"PolicyInputList": [LATER, READ]},
     200, query(IAM, "GetContextKeysForCustomPolicy",
                "<ContextKeyNames><member>aws:CurrentTime</member></ContextKeyNames>")),
    ("iam", "ListRoles", {"MaxItems": 10}, 200, query(
        IAM, "ListRoles", "<Roles/><IsTruncated>false</IsTruncated>")),
    ("iam", "GetAccountSummary", {}, 200, query(
        IAM, "GetAccountSummary",
        "<SummaryMap><entry><key>Roles</key><value>3</value></entry>"
        "<entry><key>Users</key><value>1</value></entry></SummaryMap>")),
    ("iam", "DeleteRole", {"RoleName": "developer"}, 200, query(IAM, "DeleteRole", None)),
    ("iam", "CreateOpenIDConnectProvider", {
        "Url": "https://token.actions.githubusercontent.com", "ClientIDList": ["sts.amazonaws.com"],
        "ThumbprintList": []},
     200, query(IAM, "CreateOpenIDConnectProvider",
                "<OpenIDConnectProviderArn>arn:aws:iam::111122223333:oidc-provider/"
                "token.actions.githubusercontent.com</OpenIDConnectProviderArn>")),
    ("cloudtrail", "LookupEvents", {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}],
        "StartTime": 1767225600, "MaxResults": 5},
     200, '{"Events":[{"EventId":"1","EventTime":1767225600.0}],"NextToken":"t"}'),
]


def plain(value):
    """As our types print it: timestamps as the wire has them."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def call(service, name, params, status, answer):
    session = botocore.session.Session()
    session.set_credentials(*KEY)
    client = session.create_client(service, region_name="us-east-1", config=botocore.config.Config(
        retries={"max_attempts": 0}, parameter_validation=False))
    seen = []

    def send(request, **_):
        seen.append(request)
        raw = mock.Mock()
        raw.stream.return_value = [answer.encode()]
        return botocore.awsrequest.AWSResponse(
            request.url, status, {"x-amzn-requestid": ID, "content-type": "text/xml"}, raw)

    client.meta.events.register("before-send", send)
    method = botocore.xform_name(name)
    with mock.patch("botocore.auth.get_current_datetime", lambda: CLOCK):
        try:
            output = getattr(client, method)(**params)
            assert status < 300
        except client.exceptions.ClientError as error:
            output = error.response
            assert status >= 300
    output.pop("ResponseMetadata")
    request = seen[0]
    host, target = request.url.removeprefix("https://").split("/", 1)
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    headers = [["Host", host]] + [[n, text(v)] for n, v in request.headers.items()
                                  if n.lower() not in ("user-agent", "amz-sdk-invocation-id")]
    return {"name": f"{service} {name} {status}", "service": service, "operation": name,
            "now": "20260101T000000Z", "secret": KEY[1], "style": "plain",
            "request": {"method": request.method, "target": "/" + target, "headers": headers,
                        "body": text(request.body)},
            "input": params, "status": status, "output": plain(output), "body": answer,
            "request_id": ID}


def typed(shape, pairs):
    """A value of the shape from the query protocol's names (`Tags.member.1.Key`) and their texts."""
    if shape.type_name == "structure":
        names = {name.split(".")[0] for name in pairs}
        return {name: typed(shape.members[name], below(pairs, name)) for name in shape.members if name in names}
    if shape.type_name == "list" and "" not in pairs:
        items = below(pairs, "member")
        numbers = sorted({int(name.split(".")[0]) for name in items})
        return [typed(shape.member, below(items, str(number))) for number in numbers]
    text = pairs[""]
    if shape.type_name in ("integer", "long", "boolean", "list"):
        return json.loads(text)
    return text


def below(pairs, name):
    return {key[len(name) + 1:]: value for key, value in pairs.items() if key == name or key.startswith(name + ".")}


class Sent(Exception):
    """Instead of sending."""


def stop(request, **_):
    raise Sent(request)


@functools.cache
def silent(service):
    """A client that sends nothing."""
    session = botocore.session.Session()
    session.set_credentials(*KEY)
    client = session.create_client(service, region_name="us-east-1", config=botocore.config.Config(
        parameter_validation=False))
    client.meta.events.register("before-send", stop)
    return client


def sent(service, name, pairs):
    """The body that botocore would send for this input."""
    client = silent(service)
    params = typed(client.meta.service_model.operation_model(name).input_shape, pairs) if pairs else {}
    try:
        getattr(client, botocore.xform_name(name))(**params)
    except Sent as sent_:
        body = sent_.args[0].body
    return body.decode() if isinstance(body, bytes) else body


def requests():
    smallest, fuller = (json.loads((HERE / f).read_text()) for f in ("minimal.json", "fuller.json"))
    for service, actions in smallest.items():
        rows = {}
        for name in actions:
            rows[name] = {"smallest": sent(service, name, actions[name])}
            if name in fuller[service]:
                rows[name]["fuller"] = sent(service, name, fuller[service][name])
        yield service, rows


def paginators():
    loader = botocore.session.Session().get_component("data_loader")
    for service, actions in json.loads((HERE / "minimal.json").read_text()).items():
        known = loader.load_service_model(service, "paginators-1")["pagination"]
        yield service, {name: known[name] for name in actions if name in known}


def write(file, services):
    blocks = (f'"{service}": {{\n' + ",\n".join(f"  {json.dumps(n)}: {json.dumps(r)}" for n, r in rows.items()) + "\n}"
              for service, rows in services)
    text = '{"source": "botocore %s",\n%s\n}\n' % (botocore.__version__, ",\n".join(blocks))
    (HERE / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write("requests.json", requests())
    write("paginators.json", paginators())
    rows = ",\n".join(json.dumps(call(*row)) for row in CALLS)
    text = '{"source": "botocore %s",\n"vectors": [\n%s\n]}\n' % (botocore.__version__, rows)
    (HERE / "calls.json").write_text(text, encoding="utf-8")
