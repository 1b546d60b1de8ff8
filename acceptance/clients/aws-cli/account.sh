#!/usr/bin/env bash
# What an account has once: alias, password policy, reports; and the policy simulator.
. "$(dirname "$0")/common.sh"

aws iam create-account-alias --account-alias cli-heart
is cli-heart iam list-account-aliases --query 'AccountAliases[]' --output text
aws iam delete-account-alias --account-alias cli-heart
refused NoSuchEntity "The account alias cli-heart cannot be found." iam delete-account-alias --account-alias cli-heart

# The whole policy is replaced each time: what is not named is as if it had never been set.
aws iam update-account-password-policy --minimum-password-length 12 --require-symbols --require-numbers \
  --require-uppercase-characters --require-lowercase-characters --allow-users-to-change-password \
  --max-password-age 90 --password-reuse-prevention 3 --hard-expiry
is '{
    "MinimumPasswordLength": 12,
    "RequireSymbols": true,
    "RequireNumbers": true,
    "RequireUppercaseCharacters": true,
    "RequireLowercaseCharacters": true,
    "AllowUsersToChangePassword": true,
    "ExpirePasswords": true,
    "MaxPasswordAge": 90,
    "PasswordReusePrevention": 3,
    "HardExpiry": true
}' iam get-account-password-policy --query PasswordPolicy
aws iam update-account-password-policy --minimum-password-length 8
is "8 False False None" iam get-account-password-policy --output text \
  --query 'PasswordPolicy.[MinimumPasswordLength, RequireSymbols, ExpirePasswords, MaxPasswordAge]'
aws iam delete-account-password-policy
account=$(aws sts get-caller-identity --query Account --output text)
refused NoSuchEntity "The Password Policy with domain name $account cannot be found." iam get-account-password-policy

# Counts and details follow at once.
count() { aws iam get-account-summary --query 'SummaryMap.[Users, Groups]' --output text; }
read -r users groups < <(count)
aws iam create-user --user-name cli-carl >/dev/null
is "$((users + 1)) $groups" iam get-account-summary --query 'SummaryMap.[Users, Groups]' --output text
aws iam put-user-policy --user-name cli-carl --policy-name own --policy-document '{"Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::builds/*"}}'
is "cli-carl own s3:Get*" iam get-account-authorization-details --filter User --output text --query \
  'UserDetailList[?UserName==`cli-carl`].[UserName, UserPolicyList[0].PolicyName, UserPolicyList[0].PolicyDocument.Statement.Action]'
until [ "$(aws iam generate-credential-report --query State --output text)" = COMPLETE ]; do sleep 1; done
aws iam get-credential-report --query Content --output text | base64 -d | grep -q "^cli-carl,arn:aws:iam::$account:user/cli-carl,"

# Asked without doing.
is $'s3:GetObject allowed\ns3:PutObject implicitDeny' iam simulate-principal-policy --output text \
  --policy-source-arn "arn:aws:iam::$account:user/cli-carl" --action-names s3:GetObject s3:PutObject \
  --resource-arns arn:aws:s3:::builds/1 --query 'EvaluationResults[].[EvalActionName, EvalDecision]'
is "explicitDeny" iam simulate-custom-policy --policy-input-list '{"Version": "2012-10-17", "Statement": {
  "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}' \
  --action-names s3:GetObject --query 'EvaluationResults[].EvalDecision' --output text \
  --context-entries ContextKeyName=aws:SecureTransport,ContextKeyType=boolean,ContextKeyValues=false
is aws:SecureTransport iam get-context-keys-for-custom-policy --query 'ContextKeyNames[]' --output text \
  --policy-input-list '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
  "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}'

aws iam delete-user-policy --user-name cli-carl --policy-name own
refused NoSuchEntity "The user policy with name own cannot be found." \
  iam get-user-policy --user-name cli-carl --policy-name own
aws iam delete-user --user-name cli-carl
