#!/usr/bin/env bash
# How a team sets up federation with the AWS CLI: a provider, a role that its tokens open, a policy.
#   AWS=aws ./set-up-federation.sh ISSUER CLIENT_ID THUMBPRINT ROLE
set -euo pipefail
aws=${AWS:-aws}
issuer=$1 client=$2 thumbprint=$3 role=$4
host=${issuer#https://}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

account=$("$aws" sts get-caller-identity --query Account --output text)
provider=$("$aws" iam create-open-id-connect-provider --url "$issuer" \
  --client-id-list "$client" --thumbprint-list "$thumbprint" \
  --tags Key=team,Value=platform --query OpenIDConnectProviderArn --output text)

cat > "$folder/trust.json" <<JSON
{"Version": "2012-10-17", "Statement": [{
  "Effect": "Allow",
  "Principal": {"Federated": "$provider"},
  "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
  "Condition": {"StringEquals": {"$host:aud": "$client"}}}]}
JSON
"$aws" iam create-role --role-name "$role" --assume-role-policy-document "file://$folder/trust.json" \
  --max-session-duration 7200 --tags Key=made-by,Value=cli >"$folder/role.json"

cat > "$folder/policy.json" <<JSON
{"Version": "2012-10-17", "Statement": [{
  "Effect": "Allow", "Action": ["iam:GetRole", "iam:ListRoleTags"], "Resource": "arn:aws:iam::$account:role/*"}]}
JSON
policy=$("$aws" iam create-policy --policy-name "$role-reads" --policy-document "file://$folder/policy.json" \
  --query Policy.Arn --output text)
"$aws" iam attach-role-policy --role-name "$role" --policy-arn "$policy"
"$aws" iam put-role-policy --role-name "$role" --policy-name inline \
  --policy-document "file://$folder/policy.json"

# What was written is there to read, at once.
"$aws" iam get-open-id-connect-provider --open-id-connect-provider-arn "$provider" >/dev/null
"$aws" iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn' --output text | grep -qF "$provider"
"$aws" iam list-attached-role-policies --role-name "$role" --query 'AttachedPolicies[].PolicyArn' --output text | grep -qxF "$policy"
"$aws" iam get-role-policy --role-name "$role" --policy-name inline --query PolicyDocument.Statement[0].Effect --output text | grep -qx Allow
"$aws" iam get-role --role-name "$role" --query Role.Arn --output text
