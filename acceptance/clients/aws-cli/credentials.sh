#!/usr/bin/env bash
# Server certificates of the account; SSH keys, signing certificates and passwords for single services of a user.
. "$(dirname "$0")/common.sh"

openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj /CN=cli.example.com \
  -keyout server.key -out server.crt 2>/dev/null
openssl pkey -in server.key -pubout -out public.pem

aws iam upload-server-certificate --server-certificate-name cli-front --path /cloudfront/cli/ \
  --certificate-body file://server.crt --private-key file://server.key --tags Key=team,Value=heart >/dev/null
is "$(<server.crt)" iam get-server-certificate --server-certificate-name cli-front \
  --query ServerCertificate.CertificateBody --output text
is "cli-front /cloudfront/cli/" iam list-server-certificates --path-prefix /cloudfront/ --output text \
  --query 'ServerCertificateMetadataList[].[ServerCertificateName, Path]'
aws iam update-server-certificate --server-certificate-name cli-front --new-server-certificate-name cli-door --new-path /
is "cli-door / heart" iam get-server-certificate --server-certificate-name cli-door --output text \
  --query 'ServerCertificate.[ServerCertificateMetadata.ServerCertificateName, ServerCertificateMetadata.Path, Tags[0].Value]'
aws iam delete-server-certificate --server-certificate-name cli-door
refused NoSuchEntity "The Server Certificate with name cli-door cannot be found." \
  iam get-server-certificate --server-certificate-name cli-door

aws iam create-user --user-name cli-git >/dev/null
ssh=$(aws iam upload-ssh-public-key --user-name cli-git --ssh-public-key-body file://public.pem \
  --query SSHPublicKey.SSHPublicKeyId --output text)
is "$(<public.pem)" iam get-ssh-public-key --user-name cli-git --ssh-public-key-id "$ssh" --encoding PEM \
  --query SSHPublicKey.SSHPublicKeyBody --output text
aws iam update-ssh-public-key --user-name cli-git --ssh-public-key-id "$ssh" --status Inactive
is "$ssh Inactive" iam list-ssh-public-keys --user-name cli-git --output text \
  --query 'SSHPublicKeys[].[SSHPublicKeyId, Status]'

certificate=$(aws iam upload-signing-certificate --user-name cli-git --certificate-body file://server.crt \
  --query Certificate.CertificateId --output text)
aws iam update-signing-certificate --user-name cli-git --certificate-id "$certificate" --status Inactive
is "$certificate Inactive" iam list-signing-certificates --user-name cli-git --output text \
  --query 'Certificates[].[CertificateId, Status]'

credential=$(aws iam create-service-specific-credential --user-name cli-git --service-name codecommit.amazonaws.com \
  --query 'ServiceSpecificCredential.[ServiceSpecificCredentialId, ServiceUserName, ServicePassword]' --output text)
read -r id name password <<<"$credential"
aws iam update-service-specific-credential --user-name cli-git --service-specific-credential-id "$id" --status Inactive
is "$id $name Inactive" iam list-service-specific-credentials --user-name cli-git \
  --service-name codecommit.amazonaws.com --output text \
  --query 'ServiceSpecificCredentials[].[ServiceSpecificCredentialId, ServiceUserName, Status]'
[ "$(aws iam reset-service-specific-credential --user-name cli-git --service-specific-credential-id "$id" \
  --query ServiceSpecificCredential.ServicePassword --output text)" != "$password" ]

aws iam delete-service-specific-credential --user-name cli-git --service-specific-credential-id "$id"
aws iam delete-signing-certificate --user-name cli-git --certificate-id "$certificate"
aws iam delete-ssh-public-key --user-name cli-git --ssh-public-key-id "$ssh"
refused NoSuchEntity "The Public Key with id $ssh cannot be found." \
  iam get-ssh-public-key --user-name cli-git --ssh-public-key-id "$ssh" --encoding SSH
aws iam delete-user --user-name cli-git
