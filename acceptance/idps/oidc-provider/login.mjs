// A person at a browser: the authorization-code flow with PKCE, through the provider's own login and
// consent pages, to the exchange of the code for an ID token.
import https from 'node:https';
import { createHash, randomBytes } from 'node:crypto';

/** One request on a connection of its own; one that is not answered within 20 s fails. */
function send(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const form = body && { 'content-type': 'application/x-www-form-urlencoded' };
    const signal = AbortSignal.timeout(20_000);
    const request = https.request(url, { method, headers: { ...form, ...headers }, agent: false, family: 4, signal });
    request.on('error', (error) => reject(new Error(`${method} ${url}: ${error}`)));
    request.on('response', async (response) => {
      try {
        const chunks = await response.toArray();
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, headers: response.headers, text });
      } catch (error) {
        reject(error);
      }
    });
    request.end(body?.toString());
  });
}

/** The ID token that `account` gets for `client`. A login that gets stuck is begun again, twice. */
export async function login(...order) {
  for (let left = 2; ; left -= 1) {
    try {
      return await attempt(...order);
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

async function attempt(issuer, client, account, redirect) {
  const cookies = new Map();
  const visit = async (url, init = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await send(url, { ...init, headers: { cookie } });
    for (const line of response.headers['set-cookie'] ?? []) {
      const pair = line.split(';')[0];
      const at = pair.indexOf('=');
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  };

  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    scope: 'openid email groups aws',
    redirect_uri: redirect,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    nonce: randomBytes(8).toString('hex'),
    state: randomBytes(8).toString('hex'),
  });
  let page = await visit(`${issuer}/auth?${query}`);
  for (let hop = 0; hop < 20; hop += 1) {
    const location = page.headers.location;
    if (location?.startsWith(redirect)) {
      const code = new URL(location).searchParams.get('code');
      if (!code) throw new Error(`no code: ${location}`);
      return exchange(issuer, client, code, verifier, redirect);
    }
    if (location) {
      page = await visit(new URL(location, issuer));
      continue;
    }
    const html = page.text;
    const action = html.match(/<form[^>]*action="([^"]+)"/)?.[1];
    if (!action) throw new Error(`no form: ${page.status} ${html.slice(0, 400)}`);
    const prompt = html.match(/name="prompt" value="([^"]+)"/)?.[1];
    const body = new URLSearchParams({ prompt, login: account, password: 'any' });
    page = await visit(new URL(action, issuer), { method: 'POST', body });
  }
  throw new Error('the login did not come to an end');
}

async function exchange(issuer, client, code, verifier, redirect) {
  const response = await send(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: client, code, redirect_uri: redirect, code_verifier: verifier,
    }),
  });
  const answer = JSON.parse(response.text);
  if (!answer.id_token) throw new Error(`no ID token: ${JSON.stringify(answer)}`);
  return answer.id_token;
}
