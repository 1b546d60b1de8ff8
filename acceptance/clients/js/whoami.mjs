// Who am I, by the default credential chain of the AWS SDK for JavaScript.
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

try {
  const client = new STSClient({ credentials: fromNodeProviderChain() });
  const { Account, Arn, UserId } = await client.send(new GetCallerIdentityCommand({}));
  console.log(JSON.stringify({ Account, Arn, UserId }));
} catch (error) {
  console.log(JSON.stringify({ Code: error.Code ?? error.name, Message: error.message }));
}
