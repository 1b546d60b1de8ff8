#!/usr/bin/env bash
# A virtual MFA device: made, enabled by two codes, and a session that a third one opens.
. "$(dirname "$0")/common.sh"

# code STEPS: what an authenticator app shows that many steps of 30 seconds from now (RFC 6238).
code() {
  local mac offset
  mac=$(printf "$(printf '%016x' $(($(date +%s) / 30 + $1)) | sed 's/../\\x&/g')" | openssl dgst -sha1 -r \
    -mac HMAC -macopt "hexkey:$(base32 -d <seed | od -An -v -tx1 | tr -d ' \n')")
  offset=$((16#${mac:39:1} * 2))
  printf '%06d' $(((16#${mac:offset:8} & 0x7fffffff) % 1000000))
}

serial=$(aws iam create-virtual-mfa-device --virtual-mfa-device-name cli-phone --path /cli/ \
  --tags Key=team,Value=heart --bootstrap-method Base32StringSeed --outfile seed \
  --query VirtualMFADevice.SerialNumber --output text)
is "team heart" iam list-mfa-device-tags --serial-number "$serial" --query 'Tags[].[Key, Value]' --output text
is "$serial" iam list-virtual-mfa-devices --assignment-status Unassigned --output text \
  --query 'VirtualMFADevices[].SerialNumber'

aws iam create-user --user-name cli-mia >/dev/null
# Codes two steps apart do not follow each other.
refused InvalidAuthenticationCode "Authentication code for device is not valid." iam enable-mfa-device \
  --user-name cli-mia --serial-number "$serial" --authentication-code1 "$(code -2)" --authentication-code2 "$(code 0)"
aws iam enable-mfa-device --user-name cli-mia --serial-number "$serial" \
  --authentication-code1 "$(code -1)" --authentication-code2 "$(code 0)"
is "cli-mia $serial" iam list-mfa-devices --user-name cli-mia --query 'MFADevices[].[UserName, SerialNumber]' --output text
is "$serial cli-mia" iam list-virtual-mfa-devices --assignment-status Assigned --output text \
  --query 'VirtualMFADevices[].[SerialNumber, User.UserName]'

key=$(aws iam create-access-key --user-name cli-mia --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text)
session=$(as "$key" aws sts get-session-token --serial-number "$serial" --token-code "$(code 1)" \
  --query 'Credentials.[AccessKeyId, SecretAccessKey, SessionToken]' --output text)
[ "$(as "$session" aws sts get-caller-identity --query Arn --output text)" = "${serial%:mfa/*}:user/cli-mia" ]

refused DeleteConflict "Cannot delete entity, must delete access keys first." iam delete-user --user-name cli-mia
aws iam delete-access-key --user-name cli-mia --access-key-id "${key%%$'\t'*}"
refused DeleteConflict "Cannot delete entity, must delete MFA device first." iam delete-user --user-name cli-mia
aws iam deactivate-mfa-device --user-name cli-mia --serial-number "$serial"
aws iam delete-virtual-mfa-device --serial-number "$serial"
aws iam delete-user --user-name cli-mia
refused NoSuchEntity "VirtualMFADevice with serial number $serial doesn't exist." \
  iam list-mfa-device-tags --serial-number "$serial"
