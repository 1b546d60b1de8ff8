#!/usr/bin/env bash
# Users, groups, their policies, access keys and login profiles.
. "$(dirname "$0")/common.sh"

cat >read.json <<'JSON'
{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": [
                "iam:GetUser",
                "iam:ChangePassword"
            ],
            "Resource": "arn:aws:iam::*:user/people/${aws:username}"
        }
    ]
}
JSON
boundary=arn:aws:iam::aws:policy/AdministratorAccess

# Users, one with all that can be given.
aws iam create-user --user-name cli-anna --path /people/ --permissions-boundary "$boundary" \
  --tags Key=team,Value=heart Key=empty,Value= >/dev/null
aws iam wait user-exists --user-name cli-anna
aws iam create-user --user-name cli-ben --path /people/ >/dev/null
is "cli-anna /people/ $boundary" iam get-user --user-name cli-anna --output text \
  --query 'User.[UserName, Path, PermissionsBoundary.PermissionsBoundaryArn]'
is $'empty \nteam heart' iam list-user-tags --user-name cli-anna --query 'Tags[].[Key, Value]' --output text
[ "$(pages 'Users[0].UserName' iam list-users --path-prefix /people/ | paste -sd' ')" = "cli-anna cli-ben" ]
is $'cli-anna\ncli-ben' iam list-users --path-prefix /people/ --page-size 1 --query 'Users[].[UserName]' --output text
refused EntityAlreadyExists "User with name cli-anna already exists." iam create-user --user-name cli-anna

# A group, its members and policies.
aws iam create-group --group-name cli-readers --path /teams/ >/dev/null
aws iam add-user-to-group --group-name cli-readers --user-name cli-anna
aws iam put-group-policy --group-name cli-readers --policy-name read --policy-document file://read.json
aws iam attach-group-policy --group-name cli-readers --policy-arn arn:aws:iam::aws:policy/IAMUserChangePassword
is "cli-readers /teams/ cli-anna" iam get-group --group-name cli-readers --output text \
  --query '[Group.GroupName, Group.Path, Users[0].UserName]'
is "$(<read.json)" iam get-group-policy --group-name cli-readers --policy-name read --query PolicyDocument
is cli-readers iam list-groups-for-user --user-name cli-anna --query 'Groups[].GroupName' --output text
is IAMUserChangePassword iam list-attached-group-policies --group-name cli-readers --output text \
  --query 'AttachedPolicies[].PolicyName'
aws iam put-user-policy --user-name cli-ben --policy-name own --policy-document file://read.json
is "$(<read.json)" iam get-user-policy --user-name cli-ben --policy-name own --query PolicyDocument

# A key, which opens what the group may until it is switched off, and a password that its owner changes.
key=$(aws iam create-access-key --user-name cli-anna --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text)
read -r key_id _ <<<"$key"
[ "$(as "$key" aws iam get-user --query User.UserName --output text)" = cli-anna ]
is "cli-anna iam us-east-1" iam get-access-key-last-used --access-key-id "$key_id" --output text \
  --query '[UserName, AccessKeyLastUsed.ServiceName, AccessKeyLastUsed.Region]'
aws iam create-login-profile --user-name cli-anna --password Correct-horse-1 --password-reset-required >/dev/null
is "cli-anna True" iam get-login-profile --user-name cli-anna --output text \
  --query 'LoginProfile.[UserName, PasswordResetRequired]'
as "$key" aws iam change-password --old-password Correct-horse-1 --new-password Battery-staple-2
is "cli-anna False" iam get-login-profile --user-name cli-anna --output text \
  --query 'LoginProfile.[UserName, PasswordResetRequired]'
aws iam update-access-key --user-name cli-anna --access-key-id "$key_id" --status Inactive
is "$key_id Inactive" iam list-access-keys --user-name cli-anna --output text \
  --query 'AccessKeyMetadata[].[AccessKeyId, Status]'

# Another name; whatever the user has is still there, and in the way of the end.
aws iam update-user --user-name cli-anna --new-user-name cli-anne --new-path /left/
is "cli-anne /left/ arn:aws:iam::$(aws sts get-caller-identity --query Account --output text):user/left/cli-anne" \
  iam get-user --user-name cli-anne --query 'User.[UserName, Path, Arn]' --output text
refused NoSuchEntity "The user with name cli-anna cannot be found." iam get-user --user-name cli-anna
refused DeleteConflict "Cannot delete entity, must delete access keys first." iam delete-user --user-name cli-anne
aws iam delete-access-key --user-name cli-anne --access-key-id "$key_id"
aws iam delete-login-profile --user-name cli-anne
aws iam remove-user-from-group --group-name cli-readers --user-name cli-anne
aws iam delete-user --user-name cli-anne
aws iam delete-user-policy --user-name cli-ben --policy-name own
aws iam delete-user --user-name cli-ben
aws iam delete-group-policy --group-name cli-readers --policy-name read
aws iam detach-group-policy --group-name cli-readers --policy-arn arn:aws:iam::aws:policy/IAMUserChangePassword
aws iam delete-group --group-name cli-readers
refused NoSuchEntity "The user with name cli-anne cannot be found." iam get-user --user-name cli-anne
refused NoSuchEntity "The group with name cli-readers cannot be found." iam get-group --group-name cli-readers
