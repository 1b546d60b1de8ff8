// A SAML identity provider on Auth0's samlp, which signs by xml-crypto and encrypts by xml-encryption.
//
// Usage: node idp.mjs FOLDER      keys are made there by openssl. The first line says {"metadata": …}; then one
// response per line of JSON on stdin: attributes, and how to sign and encrypt; `samlp` and `saml` in it are options
// of these two packages, by their own names.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import readline from 'node:readline';
import { Saml20 } from 'saml';
import samlp from 'samlp';

const folder = process.argv[2];
const issuer = 'https://samlp.example/idp';
const acs = 'https://signin.aws.amazon.com/saml';

function key(name) {
  const [secret, certificate] = [`${folder}/${name}.key`, `${folder}/${name}.crt`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '30', '-subj',
    `/CN=${name}`, '-keyout', secret, '-out', certificate], { stdio: 'ignore' });
  const pub = execFileSync('openssl', ['x509', '-in', certificate, '-pubkey', '-noout']);
  return { secret: fs.readFileSync(secret, 'utf8'), certificate: fs.readFileSync(certificate, 'utf8'), pub };
}

const [sign, service] = [key('sign'), key('service')];

function profile(user) {
  return {
    getClaims: () => user.claims,
    getNameIdentifier: () => ({
      nameIdentifier: user.id,
      nameIdentifierFormat: `urn:oasis:names:tc:SAML:${user.format ?? '2.0:nameid-format:persistent'}`,
    }),
  };
}
profile.prototype.metadata = [];

// What samlp would send to a browser.
function sent(handler, user) {
  return new Promise((resolve, reject) => {
    const request = { query: {}, body: {}, headers: {}, method: 'GET', originalUrl: '/', user };
    const answer = { set: () => answer, setHeader: () => answer, status: () => answer, send: resolve, end: resolve };
    handler(request, answer, (error) => reject(error ?? new Error('nothing was sent')));
  });
}

const metadata = await sent(samlp.metadata({
  issuer,
  cert: sign.certificate,
  redirectEndpointPath: `${issuer}/sso`,
  postEndpointPath: `${issuer}/sso`,
  profileMapper: profile,
}));
console.log(JSON.stringify({ metadata: metadata.toString(), private_key: service.secret }));

function unescaped(text) {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)))
    .replace(/&#(\d+);/g, (_, digits) => String.fromCharCode(digits))
    .replace(/&amp;/g, '&');
}

// samlp hands only some of its options on to saml: the rest is added on the way.
let more = {};
for (const name of ['create', 'createUnsignedAssertion']) {
  const original = Saml20[name].bind(Saml20);
  Saml20[name] = (options, done) => original({ ...options, ...more }, done);
}

async function response({ subject, attributes, how }) {
  const hash = how.algorithm ?? 'sha256';
  more = how.saml ?? {};
  const page = await sent(samlp.auth({
    issuer,
    key: sign.secret,
    cert: sign.certificate,
    audience: 'urn:amazon:webservices',
    recipient: acs,
    destination: acs,
    lifetimeInSeconds: 600,
    profileMapper: profile,
    signResponse: how.sign_response ?? true,
    signAssertion: how.sign_assertion ?? true,
    typedAttributes: false,
    signatureAlgorithm: `rsa-${hash}`,
    digestAlgorithm: how.digest ?? hash,
    ...(how.encrypt && { encryptionCert: service.certificate, encryptionPublicKey: service.pub }),
    getPostURL: (_audience, _saml, _request, done) => done(null, acs),
    getUserFromRequest: (request) => request.user,
    ...how.samlp,
  }), { id: subject, claims: attributes, format: how.format });
  const field = page.toString().match(/name="SAMLResponse"\s+value="([^"]+)"/);
  return unescaped(field[1]);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const answer = await response(JSON.parse(line)).then(
    (made) => ({ response: made }), (error) => ({ error: error.message }));
  console.log(JSON.stringify(answer));
}
