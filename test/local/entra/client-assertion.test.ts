import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { makeClientCertificate } from '../../../local/client-certificate.ts';
import { type AppRegistration, contoso, LOCAL_CLIENT_ID } from '../../../local/directory.ts';
import { refuseAssertion } from '../../../local/entra/client-assertion.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';

const NOW = new Date();
const NOW_SECONDS = Math.floor(NOW.getTime() / 1000);
const TOKEN_ENDPOINT = 'https://localhost:7072/contoso.example/oauth2/v2.0/token';
const keys = await makeTokenKeys();
const own = await makeClientCertificate(NOW);
const other = await makeClientCertificate(NOW);
const [relay] = contoso('x', NOW).apps;

const codeOf = async (assertion: string, app: Partial<AppRegistration>, now = NOW) =>
  (
    await refuseAssertion(
      assertion,
      { ...relay!, ...app },
      { tokenEndpoint: TOKEN_ENDPOINT, verifyOwn: keys.verifyAny, now },
    )
  )?.code;

const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

describe('an assertion that the application signed', () => {
  const thumbprint = (hash: 'sha1' | 'sha256', { certificate } = own) =>
    createHash(hash).update(new X509Certificate(certificate).raw).digest('base64url');
  const signed = (
    claims: Record<string, unknown> = {},
    { header = { 'x5t#S256': thumbprint('sha256') } as Record<string, string>, key = own.privateKey } = {},
  ) =>
    new SignJWT({
      iss: LOCAL_CLIENT_ID,
      sub: LOCAL_CLIENT_ID,
      aud: TOKEN_ENDPOINT,
      jti: 'one',
      nbf: NOW_SECONDS,
      exp: NOW_SECONDS + 600,
      ...claims,
    })
      .setProtectedHeader({ alg: 'PS256', ...header })
      .sign(createPrivateKey(key));
  const registered = { certificates: [{ pem: own.certificate }] };

  test.each<[string, () => Promise<string>, Partial<AppRegistration>, number | undefined, Date?]>([
    ['by its SHA-256', signed, registered, undefined],
    ['by its SHA-1', () => signed({}, { header: { x5t: thumbprint('sha1') } }), registered, undefined],
    ['of a certificate that is not registered', signed, {}, 700027],
    ['without a name of its key', () => signed({}, { header: {} }), registered, 700027],
    [
      'of a certificate that has expired',
      signed,
      { certificates: [{ pem: own.certificate, expiresOn: later(-1) }] },
      700027,
    ],
    ['with another key', () => signed({}, { key: other.privateKey }), registered, 700027],
    ['with another subject', () => signed({ sub: 'another' }), registered, 700021],
    ['for another place', () => signed({ aud: 'https://login.example/token' }), registered, 700023],
    ['at a time that is over', signed, registered, 700024, later(1000)],
    ['at a time to come', signed, registered, 700024, later(-1000)],
  ])('%s', async (_case, assertion, app, code, now) => {
    expect(await codeOf(await assertion(), app, now)).toBe(code);
  });
});

describe('a token of somebody whom the application trusts', () => {
  const token = (claims: Record<string, unknown> = {}) =>
    keys.sign({
      iss: 'https://localhost:7072/t/v2.0',
      sub: 'the-principal',
      aud: 'api://AzureADTokenExchange',
      tid: 't',
      appid: 'i',
      iat: NOW_SECONDS,
      nbf: NOW_SECONDS,
      exp: NOW_SECONDS + 600,
      ...claims,
    });
  const trusted = {
    issuer: 'https://localhost:7072/t/v2.0',
    subject: 'the-principal',
    audience: 'api://AzureADTokenExchange',
  };

  test.each<[string, Partial<typeof trusted>, number | undefined, Date?]>([
    ['all three match', {}, undefined],
    ['another issuer', { issuer: 'https://localhost:7072/t/v2.0/' }, 700211],
    ['another audience', { audience: 'api://AzureADTokenExchangeUSGov' }, 700212],
    ['another subject', { subject: 'another' }, 700213],
    ['the subject in capitals', { subject: 'THE-PRINCIPAL' }, 700213],
    ['a time that is over', {}, 700024, later(1000)],
  ])('%s', async (_case, rest, code, now) => {
    expect(await codeOf(await token(), { federatedCredentials: [{ ...trusted, ...rest }] }, now)).toBe(code);
  });

  test('signed by another', async () => {
    const { sign } = await makeTokenKeys();
    const forged = await sign({
      iss: trusted.issuer,
      sub: trusted.subject,
      aud: trusted.audience,
      tid: 't',
      appid: 'i',
      iat: NOW_SECONDS,
      nbf: NOW_SECONDS,
      exp: NOW_SECONDS + 600,
    } as Parameters<typeof sign>[0]);
    expect(await codeOf(forged, { federatedCredentials: [trusted] })).toBe(700027);
  });
});

test('what is no token is malformed', async () => {
  expect(await codeOf('a.b.c', {})).toBe(50027);
});
