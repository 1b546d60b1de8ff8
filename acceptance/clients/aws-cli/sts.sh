#!/usr/bin/env bash
# Sessions of every kind but those of web identities, which set-up-federation.sh prepares.
#   AWS=aws ./sts.sh /path/to/METADATA.xml /path/to/RESPONSE.b64
# The response is for the role cli-door and the provider CliDoor.
. "$(dirname "$0")/common.sh"
metadata=$1 response=$2
account=$(aws sts get-caller-identity --query Account --output text)
credentials='Credentials.[AccessKeyId, SecretAccessKey, SessionToken]'
who() { as "$1" aws sts get-caller-identity --query Arn --output text; }

saml=$(aws iam create-saml-provider --name CliDoor --saml-metadata-document "file://$metadata" \
  --query SAMLProviderArn --output text)
aws iam create-role --role-name cli-door --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "'"$account"'"}, "Action": ["sts:AssumeRole", "sts:TagSession"],
    "Condition": {"StringEquals": {"sts:ExternalId": "a-shared-word"}}},
  {"Effect": "Allow", "Principal": {"Federated": "'"$saml"'"},
    "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]}]}' >/dev/null
role=arn:aws:iam::$account:role/cli-door

# A role, by who knows the word.
session=$(aws sts assume-role --role-arn "$role" --role-session-name job --external-id a-shared-word \
  --duration-seconds 900 --tags Key=project,Value=heart --query "$credentials" --output text)
[ "$(who "$session")" = "arn:aws:sts::$account:assumed-role/cli-door/job" ]
refused AccessDenied "User: arn:aws:iam::$account:user/admin is not authorized to perform: sts:AssumeRole on resource: $role" \
  sts assume-role --role-arn "$role" --role-session-name job --external-id wrong
is "$account" sts get-access-key-info --access-key-id "${session%%$'\t'*}" --query Account --output text

# The same role, by what the identity provider says.
session=$(aws sts assume-role-with-saml --role-arn "$role" --principal-arn "$saml" \
  --saml-assertion "file://$response" --query "$credentials" --output text)
[ "$(who "$session")" = "arn:aws:sts::$account:assumed-role/cli-door/alice@corp.example" ]

# A user's own sessions: a token, and a federated user, who may what both policies allow.
aws iam create-user --user-name cli-eve >/dev/null
aws iam put-user-policy --user-name cli-eve --policy-name own --policy-document '{"Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": ["sts:GetFederationToken", "iam:List*"], "Resource": "*"}}'
key=$(aws iam create-access-key --user-name cli-eve --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text)
is "$account" sts get-access-key-info --access-key-id "${key%%$'\t'*}" --query Account --output text
session=$(as "$key" aws sts get-session-token --duration-seconds 900 --query "$credentials" --output text)
[ "$(who "$session")" = "arn:aws:iam::$account:user/cli-eve" ]
session=$(as "$key" aws sts get-federation-token --name guest --policy '{"Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}}' \
  --query "$credentials" --output text)
[ "$(who "$session")" = "arn:aws:sts::$account:federated-user/guest" ]

refused InvalidAuthorizationMessageException "The message could not be decoded." \
  sts decode-authorization-message --encoded-message not-a-message

aws iam delete-access-key --user-name cli-eve --access-key-id "${key%%$'\t'*}"
aws iam delete-user-policy --user-name cli-eve --policy-name own
aws iam delete-user --user-name cli-eve
aws iam delete-role --role-name cli-door
aws iam delete-saml-provider --saml-provider-arn "$saml"
refused AccessDenied "User: arn:aws:iam::$account:user/admin is not authorized to perform: sts:AssumeRole on resource: $role" \
  sts assume-role --role-arn "$role" --role-session-name job --external-id a-shared-word
