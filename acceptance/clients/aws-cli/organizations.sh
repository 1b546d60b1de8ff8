#!/usr/bin/env bash
# An organization: units, accounts, and policies over them.
. "$(dirname "$0")/common.sh"

read -r organization master < <(aws organizations create-organization --feature-set ALL \
  --query 'Organization.[Id, MasterAccountId]' --output text)
is "$organization $master ALL" organizations describe-organization --output text \
  --query 'Organization.[Id, MasterAccountId, FeatureSet]'
root=$(aws organizations list-roots --query 'Roots[0].Id' --output text)
aws organizations enable-policy-type --root-id "$root" --policy-type SERVICE_CONTROL_POLICY >/dev/null
is "SERVICE_CONTROL_POLICY ENABLED" organizations list-roots --query 'Roots[0].PolicyTypes[].[Type, Status]' --output text

unit=$(aws organizations create-organizational-unit --parent-id "$root" --name cli-labs \
  --tags Key=team,Value=heart --query OrganizationalUnit.Id --output text)
is cli-labs organizations describe-organizational-unit --organizational-unit-id "$unit" \
  --query OrganizationalUnit.Name --output text
is "team heart" organizations list-tags-for-resource --resource-id "$unit" --query 'Tags[].[Key, Value]' --output text
aws organizations update-organizational-unit --organizational-unit-id "$unit" --name "cli labs" >/dev/null
is "$unit cli labs" organizations list-organizational-units-for-parent --parent-id "$root" --output text \
  --query 'OrganizationalUnits[].[Id, Name]'

request=$(aws organizations create-account --email lab@example.com --account-name "cli lab" \
  --tags Key=stage,Value=test --query CreateAccountStatus.Id --output text)
until read -r account state < <(aws organizations describe-create-account-status --output text \
  --create-account-request-id "$request" --query 'CreateAccountStatus.[AccountId, State]') && [ "$state" = SUCCEEDED ]
do sleep 1; done
is "cli lab lab@example.com ACTIVE" organizations describe-account --account-id "$account" --output text \
  --query 'Account.[Name, Email, Status]'
aws organizations move-account --account-id "$account" --source-parent-id "$root" --destination-parent-id "$unit"
is "$unit ORGANIZATIONAL_UNIT" organizations list-parents --child-id "$account" --query 'Parents[].[Id, Type]' --output text
is "$account" organizations list-accounts-for-parent --parent-id "$unit" --query 'Accounts[].Id' --output text
[ "$(pages 'Accounts[0].Id' organizations list-accounts | sort)" = "$(printf '%s\n' "$account" "$master" | sort)" ]

# A policy's text comes back as it was sent.
content='{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}}'
policy=$(aws organizations create-policy --type SERVICE_CONTROL_POLICY --name cli-no-users --description "no users" \
  --content "$content" --query Policy.PolicySummary.Id --output text)
is "cli-no-users no users $content" organizations describe-policy --policy-id "$policy" --output text \
  --query 'Policy.[PolicySummary.Name, PolicySummary.Description, Content]'
aws organizations attach-policy --policy-id "$policy" --target-id "$unit"
is "$unit" organizations list-targets-for-policy --policy-id "$policy" --query 'Targets[].TargetId' --output text
refused PolicyInUseException "The policy is attached to one or more entities. You must detach it from all roots, OUs, \
and accounts before performing this operation." \
  organizations delete-policy --policy-id "$policy"

# It binds at once whoever is below.
session=$(aws sts assume-role --role-arn "arn:aws:iam::$account:role/OrganizationAccountAccessRole" \
  --role-session-name cli --query 'Credentials.[AccessKeyId, SecretAccessKey, SessionToken]' --output text)
as "$session" refused AccessDenied "User: arn:aws:sts::$account:assumed-role/OrganizationAccountAccessRole/cli is not \
authorized to perform: iam:CreateUser on resource: arn:aws:iam::$account:user/cli-guest with an explicit deny in a \
service control policy: arn:aws:organizations::$master:policy/$organization/service_control_policy/$policy" \
  iam create-user --user-name cli-guest
aws organizations detach-policy --policy-id "$policy" --target-id "$unit"
as "$session" aws iam create-user --user-name cli-guest >/dev/null

aws organizations delete-policy --policy-id "$policy"
refused PolicyNotFoundException "We can't find a policy with the PolicyId that you specified." \
  organizations describe-policy --policy-id "$policy"
refused OrganizationalUnitNotEmptyException "The specified OU is not empty. Move all accounts to another root or to \
other OUs, remove all child OUs, and try the operation again." \
  organizations delete-organizational-unit --organizational-unit-id "$unit"
