#!/usr/bin/env bash
# Identity providers: OpenID Connect by its URL, SAML by its metadata.
#   AWS=aws ./providers.sh /path/to/METADATA.xml
. "$(dirname "$0")/common.sh"
metadata=$1
account=$(aws sts get-caller-identity --query Account --output text)

# Thumbprints are told as they were sent, the URL without its scheme.
first=990f4193972f2becf12ddeda5237f9c952f20d9e
second=0123456789abcdef0123456789abcdef01234567
oidc=$(aws iam create-open-id-connect-provider --url https://cli.example.com/realms/Data \
  --client-id-list app other --thumbprint-list "$first" --tags Key=team,Value=heart \
  --query OpenIDConnectProviderArn --output text)
[ "$oidc" = "arn:aws:iam::$account:oidc-provider/cli.example.com/realms/Data" ]
is "cli.example.com/realms/Data app other $first heart" iam get-open-id-connect-provider \
  --open-id-connect-provider-arn "$oidc" --output text \
  --query '[Url, ClientIDList[0], ClientIDList[1], ThumbprintList[0], Tags[0].Value]'
aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn "$oidc" --client-id third
aws iam remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn "$oidc" --client-id app
aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn "$oidc" \
  --thumbprint-list "$second" "$first"
aws iam tag-open-id-connect-provider --open-id-connect-provider-arn "$oidc" --tags Key=stage,Value=test
is "{
    \"clients\": [
        \"other\",
        \"third\"
    ],
    \"thumbprints\": [
        \"$second\",
        \"$first\"
    ]
}" iam get-open-id-connect-provider --open-id-connect-provider-arn "$oidc" \
  --query '{clients: ClientIDList, thumbprints: ThumbprintList}'
is $'stage test\nteam heart' iam list-open-id-connect-provider-tags --open-id-connect-provider-arn "$oidc" \
  --query 'Tags[].[Key, Value]' --output text
is "$oidc" iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn' --output text
refused EntityAlreadyExists "Provider with url https://cli.example.com/realms/Data already exists." \
  iam create-open-id-connect-provider --url https://cli.example.com/realms/Data --thumbprint-list "$first"
aws iam delete-open-id-connect-provider --open-id-connect-provider-arn "$oidc"
refused NoSuchEntity "OpenIDConnect Provider not found for arn $oidc" \
  iam get-open-id-connect-provider --open-id-connect-provider-arn "$oidc"

# Metadata comes back byte by byte.
saml=$(aws iam create-saml-provider --name CliCorp --saml-metadata-document "file://$metadata" \
  --tags Key=team,Value=heart --query SAMLProviderArn --output text)
is "$(<"$metadata")" iam get-saml-provider --saml-provider-arn "$saml" --query SAMLMetadataDocument --output text
is "$saml" iam list-saml-providers --query 'SAMLProviderList[].Arn' --output text
aws iam tag-saml-provider --saml-provider-arn "$saml" --tags Key=stage,Value=test
aws iam untag-saml-provider --saml-provider-arn "$saml" --tag-keys team
is "stage test" iam list-saml-provider-tags --saml-provider-arn "$saml" --query 'Tags[].[Key, Value]' --output text
is "$saml" iam update-saml-provider --saml-provider-arn "$saml" --saml-metadata-document "file://$metadata" \
  --query SAMLProviderArn --output text
aws iam delete-saml-provider --saml-provider-arn "$saml"
refused NoSuchEntity "Manifest not found for arn $saml" iam get-saml-provider --saml-provider-arn "$saml"
