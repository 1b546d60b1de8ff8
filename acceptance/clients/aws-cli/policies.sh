#!/usr/bin/env bash
# Managed policies, their versions, and who has them.
. "$(dirname "$0")/common.sh"

allowing() {
  cat <<JSON
{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "$1",
            "Resource": "*",
            "Condition": {
                "StringLike": {
                    "aws:PrincipalTag/team": [
                        "he?rt",
                        "\${aws:PrincipalTag/other, 'none'}"
                    ]
                }
            }
        }
    ]
}
JSON
}
allowing s3:GetObject >read.json
allowing s3:PutObject >write.json

policy=$(aws iam create-policy --policy-name cli-objects --path /data/ --description "Zugriff für alle – 桜" \
  --policy-document file://read.json --tags Key=team,Value=heart --query Policy.Arn --output text)
aws iam wait policy-exists --policy-arn "$policy"
is "cli-objects /data/ Zugriff für alle – 桜 v1 0 True heart" iam get-policy --policy-arn "$policy" --output text \
  --query 'Policy.[PolicyName, Path, Description, DefaultVersionId, AttachmentCount, IsAttachable, Tags[0].Value]'
is "$(<read.json)" iam get-policy-version --policy-arn "$policy" --version-id v1 --query PolicyVersion.Document
is "$policy" iam list-policies --scope Local --path-prefix /data/ --query 'Policies[].Arn' --output text

# Five versions at most; the default one stays.
aws iam create-policy-version --policy-arn "$policy" --policy-document file://write.json >/dev/null
is v1 iam get-policy --policy-arn "$policy" --query Policy.DefaultVersionId --output text
aws iam set-default-policy-version --policy-arn "$policy" --version-id v2
is "$(<write.json)" iam get-policy-version --policy-arn "$policy" --version-id v2 --query PolicyVersion.Document
is $'v2 True\nv1 False' iam list-policy-versions --policy-arn "$policy" --output text \
  --query 'Versions[].[VersionId, IsDefaultVersion]'
[ "$(pages 'Versions[0].VersionId' iam list-policy-versions --policy-arn "$policy" | paste -sd' ')" = "v2 v1" ]
refused DeleteConflict "Cannot delete the default version of a policy." \
  iam delete-policy-version --policy-arn "$policy" --version-id v2

# Who has it.
aws iam create-group --group-name cli-holders >/dev/null
aws iam attach-group-policy --group-name cli-holders --policy-arn "$policy"
is cli-holders iam list-entities-for-policy --policy-arn "$policy" --query 'PolicyGroups[].GroupName' --output text
refused DeleteConflict "Cannot delete a policy attached to entities." iam delete-policy --policy-arn "$policy"
aws iam detach-group-policy --group-name cli-holders --policy-arn "$policy"
aws iam delete-group --group-name cli-holders

aws iam tag-policy --policy-arn "$policy" --tags Key=stage,Value=test
aws iam untag-policy --policy-arn "$policy" --tag-keys team
is "stage test" iam list-policy-tags --policy-arn "$policy" --query 'Tags[].[Key, Value]' --output text
aws iam delete-policy-version --policy-arn "$policy" --version-id v1
aws iam delete-policy --policy-arn "$policy"
refused NoSuchEntity "Policy $policy was not found." iam get-policy --policy-arn "$policy"
refused MalformedPolicyDocument "Syntax errors in policy." \
  iam create-policy --policy-name cli-broken --policy-document '{"Version": "2012-10-17", "Statement": [{}'
