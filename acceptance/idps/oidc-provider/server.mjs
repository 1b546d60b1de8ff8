// A real OpenID provider (oidc-provider, certified, not ours) on a free loopback port, over TLS.
//
//   NODE_EXTRA_CA_CERTS=root.pem node server.mjs CHAIN.pem KEY.pem
//
// It says {"ready":"https://localhost:PORT"} on a line of its own and then answers orders, one JSON
// object per line, in turn:
//   {"mint":{"client":"rs256","account":"alice","claims":{…}}}  →  {"done":"eyJ…"}
//   {"rotate":{"keep":true}}   new signing keys; the old ones stay published only if kept  →  {"done":[kids]}
// It ends when its standard input does, so that it cannot outlive the test that started it.
import https from 'node:https';
import fs from 'node:fs';
import readline from 'node:readline';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';
import { login } from './login.mjs';

const AWS_TAGS = 'https://aws.amazon.com/tags';
const ALGORITHMS = ['RS256', 'ES256'];
const REDIRECT = 'http://127.0.0.1:9/never-reached';

const [chain, key] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// What each account's tokens claim, as the last order for it said.
const accounts = new Map();

// `rs256` and `es256` are registered with the server under test; `stranger-…` are clients of the same
// provider whose tokens are meant for somebody else.
const clients = ALGORITHMS.flatMap((alg) => ['', 'stranger-'].map((prefix) => ({
  client_id: `${prefix}${alg.toLowerCase()}`,
  id_token_signed_response_alg: alg,
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  redirect_uris: [REDIRECT],
  grant_types: ['authorization_code'],
  response_types: ['code'],
})));

let generation = 0;
function newKeys() {
  generation += 1;
  const jwk = (type, options, alg) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    use: 'sig', alg, kid: `${alg.toLowerCase()}-${generation}`,
  });
  return [jwk('rsa', { modulusLength: 2048 }, 'RS256'), jwk('ec', { namedCurve: 'P-256' }, 'ES256')];
}

// The first key of an algorithm signs. A rotation is a new provider behind the same listener.
const provide = (issuer, keys) => new Provider(issuer, {
  jwks: { keys },
  clients,
  conformIdTokenClaims: false,                        // claims that a scope grants go into the ID token itself
  claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups', 'department'], aws: [AWS_TAGS] },
  scopes: ['openid', 'email', 'groups', 'aws'],
  features: { devInteractions: { enabled: true } },   // its own login and consent pages; any password
  pkce: { required: () => true },
  cookies: { keys: ['loopback-only'] },
  ttl: { IdToken: 3600, AccessToken: 3600, Interaction: 600, Session: 3600, Grant: 3600 },
  async findAccount(_context, id) {
    const claims = accounts.get(id);
    return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
  },
}).callback();

let keys = newKeys();
let answer;
const server = https.createServer(
  { key: fs.readFileSync(key), cert: fs.readFileSync(chain) },
  (request, response) => answer(request, response),
);
server.listen(0, '127.0.0.1', async () => {
  const issuer = `https://localhost:${server.address().port}`;
  answer = provide(issuer, keys);
  say({ ready: issuer });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      const { mint, rotate } = JSON.parse(line);
      if (mint) {
        accounts.set(mint.account, mint.claims);
        say({ done: await login(issuer, mint.client, mint.account, REDIRECT) });
      } else if (rotate) {
        keys = [...newKeys(), ...(rotate.keep ? keys : [])];
        answer = provide(issuer, keys);
        say({ done: keys.map(({ kid }) => kid) });
      } else {
        say({ error: `not an order: ${line}` });
      }
    } catch (error) {
      say({ error: String(error?.stack ?? error) });
    }
  }
  process.exit(0);
});
