// Whether a token is what it says, by nothing but its issuer's documents: discovery, keys, `jose`.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';

const [token, issuer, audience] = process.argv.slice(2);
try {
  if (decodeJwt(token).iss !== issuer) throw new Error('another issuer');
  const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: discovery.issuer,
    audience,
    algorithms: discovery.id_token_signing_alg_values_supported,
  });
  console.log(JSON.stringify({ payload, alg: protectedHeader.alg }));
} catch (error) {
  console.log(JSON.stringify({ refused: error.code ?? error.message }));
}
