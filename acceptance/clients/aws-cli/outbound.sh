#!/usr/bin/env bash
# Tokens of this account for services elsewhere. Needs a CLI from November 2025 on.
. "$(dirname "$0")/common.sh"
token=(sts get-web-identity-token --audience api.example.com --signing-algorithm RS256 --duration-seconds 300
  --tags Key=job,Value=build)

refused OutboundWebIdentityFederationDisabledException "The outbound web identity federation feature is not enabled for \
this account. To use this feature, you must first enable it through the AWS Management Console or API." "${token[@]}"
issuer=$(aws iam enable-outbound-web-identity-federation --query IssuerIdentifier --output text)
is "$issuer True" iam get-outbound-web-identity-federation-info --output text \
  --query '[IssuerIdentifier, JwtVendingEnabled]'
claims=$(aws "${token[@]}" --query WebIdentityToken --output text | cut -d. -f2 | tr '_-' '/+')
while [ $((${#claims} % 4)) -ne 0 ]; do claims+="="; done
base64 -d <<<"$claims" | grep -qF '"aud":"api.example.com"'
aws iam disable-outbound-web-identity-federation
refused FeatureDisabled "Outbound identity federation is disabled for your account." \
  iam get-outbound-web-identity-federation-info
