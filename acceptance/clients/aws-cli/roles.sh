#!/usr/bin/env bash
# Roles, instance profiles, and the roles that belong to services.
. "$(dirname "$0")/common.sh"

trusting() {
  cat <<JSON
{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {
                "Service": "$1"
            },
            "Action": "sts:AssumeRole"
        }
    ]
}
JSON
}
trusting ec2.amazonaws.com >ec2.json
trusting lambda.amazonaws.com >lambda.json
cat >inline.json <<'JSON'
{
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::builds/*"
    }
}
JSON
boundary=arn:aws:iam::aws:policy/PowerUserAccess

aws iam create-role --role-name cli-deploy --path /ci/ --description "Deploys; \"quoted\" & <marked>" \
  --assume-role-policy-document file://ec2.json --max-session-duration 7200 \
  --permissions-boundary "$boundary" --tags Key=team,Value=heart >/dev/null
aws iam wait role-exists --role-name cli-deploy
is '{
    "Path": "/ci/",
    "Description": "Deploys; \"quoted\" & <marked>",
    "MaxSessionDuration": 7200,
    "PermissionsBoundary": {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": "'"$boundary"'"
    },
    "Tags": [
        {
            "Key": "team",
            "Value": "heart"
        }
    ]
}' iam get-role --role-name cli-deploy --query 'Role.{Path: Path, Description: Description,
  MaxSessionDuration: MaxSessionDuration, PermissionsBoundary: PermissionsBoundary, Tags: Tags}'
is "$(<ec2.json)" iam get-role --role-name cli-deploy --query Role.AssumeRolePolicyDocument

# Changed, one thing at a time.
aws iam update-assume-role-policy --role-name cli-deploy --policy-document file://lambda.json
is "$(<lambda.json)" iam get-role --role-name cli-deploy --query Role.AssumeRolePolicyDocument
aws iam update-role --role-name cli-deploy --description new --max-session-duration 3600
aws iam delete-role-permissions-boundary --role-name cli-deploy
aws iam tag-role --role-name cli-deploy --tags Key=team,Value=sun Key=stage,Value=test
aws iam untag-role --role-name cli-deploy --tag-keys stage
is "new 3600 None sun" iam get-role --role-name cli-deploy --output text \
  --query 'Role.[Description, MaxSessionDuration, PermissionsBoundary, Tags[0].Value]'

# Policies, inline and attached.
aws iam put-role-policy --role-name cli-deploy --policy-name builds --policy-document file://inline.json
is "$(<inline.json)" iam get-role-policy --role-name cli-deploy --policy-name builds --query PolicyDocument
aws iam attach-role-policy --role-name cli-deploy --policy-arn "$boundary"
is PowerUserAccess iam list-attached-role-policies --role-name cli-deploy --output text \
  --query 'AttachedPolicies[].PolicyName'

# An instance profile holds one role.
aws iam create-instance-profile --instance-profile-name cli-box --path /ci/ --tags Key=k,Value=v >/dev/null
aws iam wait instance-profile-exists --instance-profile-name cli-box
aws iam add-role-to-instance-profile --instance-profile-name cli-box --role-name cli-deploy
is "/ci/ cli-deploy v" iam get-instance-profile --instance-profile-name cli-box --output text \
  --query 'InstanceProfile.[Path, Roles[0].RoleName, Tags[0].Value]'
is cli-box iam list-instance-profiles-for-role --role-name cli-deploy --output text \
  --query 'InstanceProfiles[].InstanceProfileName'

# A service's own role, which is deleted by a task.
aws iam create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com \
  --description "for the balancers" >/dev/null
is "/aws-service-role/elasticloadbalancing.amazonaws.com/ for the balancers" iam get-role --output text \
  --role-name AWSServiceRoleForElasticLoadBalancing --query 'Role.[Path, Description]'
task=$(aws iam delete-service-linked-role --role-name AWSServiceRoleForElasticLoadBalancing \
  --query DeletionTaskId --output text)
is SUCCEEDED iam get-service-linked-role-deletion-status --deletion-task-id "$task" --query Status --output text

aws iam detach-role-policy --role-name cli-deploy --policy-arn "$boundary"
aws iam delete-role-policy --role-name cli-deploy --policy-name builds
refused DeleteConflict "Cannot delete entity, must remove roles from instance profile first." \
  iam delete-role --role-name cli-deploy
aws iam remove-role-from-instance-profile --instance-profile-name cli-box --role-name cli-deploy
aws iam delete-instance-profile --instance-profile-name cli-box
aws iam delete-role --role-name cli-deploy
refused NoSuchEntity "The role with name cli-deploy cannot be found." iam get-role --role-name cli-deploy
refused NoSuchEntity "Instance Profile cli-box cannot be found." \
  iam get-instance-profile --instance-profile-name cli-box
