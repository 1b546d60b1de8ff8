// The parser of the AWS SDK for JavaScript, unmodified, on the recorded answers of STS
// (`corpus/wire/answers.json`): every leaf of each must arrive. Prints what did not, and how many were read.
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import * as sts from '@aws-sdk/client-sts';

const rows = JSON.parse(await readFile(process.argv[2], 'utf8')).filter(({ api }) => api === 'sts');
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const plain = (text) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

function leaves(value, name, found) {
  if (value instanceof Date) found.add(`${name}=${value.toISOString().replace('.000Z', 'Z')}`);
  else if (value !== null && typeof value === 'object') {
    for (const [below, it] of Object.entries(value)) leaves(it, below, found);
  } else found.add(`${name}=${value}`);
  return found;
}

const wrong = [];
for (const { action, to, status, body } of rows) {
  const response = { statusCode: status, headers: { 'content-type': 'text/xml' }, body: Readable.from([body]) };
  const client = new sts.STSClient({
    region: 'us-east-1', credentials, maxAttempts: 1, requestHandler: { handle: async () => ({ response }) },
  });
  const told = await client.send(new sts[`${action}Command`]({})).catch((error) => ({
    Code: error.Code ?? error.name, Message: error.message, Type: error.Type ?? 'Sender',
  }));
  const found = leaves(told, '', new Set());
  for (const [, name, text] of body.matchAll(/<(\w+)>([^<]*)<\/\1>/g)) {
    if (name !== 'RequestId' && !found.has(`${name}=${plain(text)}`)) wrong.push(`${action} to ${to}: ${name}=${plain(text)}`);
  }
}
console.log(JSON.stringify({ read: rows.length, wrong }));
