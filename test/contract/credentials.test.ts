import { randomUUID } from 'node:crypto';
import forge from 'node-forge';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientCertificate, makeClientCertificate } from '../../local/client-certificate.ts';
import { type AppRegistration, contoso, LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../local/directory.ts';
import { principalIdOf } from '../../local/entra/app-only-claims.ts';
import { type Entra, startEntra } from '../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../local/entra/token-keys.ts';
import type { HttpFaults } from '../../local/http-faults.ts';
import { openSecretStore } from '../../local/key-vault/secret-store.ts';
import { startKeyVault, VAULT_RESOURCE } from '../../local/key-vault/start-key-vault.ts';
import {
  type ManagedIdentityEndpoint,
  startManagedIdentity,
} from '../../local/managed-identity/start-managed-identity.ts';
import { CLOUDS } from '../../src/lib/connections/cloud.ts';
import { type Credential, MAIN_CONNECTION } from '../../src/lib/connections/connection.ts';
import type { ErrorCode } from '../../src/lib/error-catalogue.ts';
import { AppError } from '../../src/lib/errors.ts';
import { openSdkNetwork } from '../../src/lib/network/agents.ts';
import type { KeyVault } from '../../src/lib/vault/key-vault.ts';
import { managedIdentity, openKeyVault } from '../../src/lib/vault/open-vault.ts';
import { openConnections } from '../../src/open-connections.ts';
import { trustedCertificate } from '../local/certificate-for-tests.ts';

/** Nobody listens there: a mail gets its token first, and then finds that out. */
const GRAPH = 'https://127.0.0.1:1';
const AUDIENCE = CLOUDS.global.exchangeAudience;
const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);

// What is around the relay, for all of these: the client of managed identities looks for its endpoint once in the life of a process.
const keys = await makeTokenKeys();
let issued = 0;
const counting = {
  ...keys,
  sign: (claims: Parameters<typeof keys.sign>[0]) => {
    issued += 1;
    return keys.sign(claims);
  },
};
const secrets = await openSecretStore();
let identities: { clientId: string; roles: Record<string, string[]> }[] = [];
let app: AppRegistration;
let clockOfEntra: () => Date;
let lifetimeSeconds = 0;
let entra: Entra;
let endpoint: ManagedIdentityEndpoint;
let vaultServer: Awaited<ReturnType<typeof startKeyVault>>;

beforeAll(async () => {
  const tls = await trustedCertificate();
  entra = await startEntra({
    tls,
    port: 0,
    directory: () => ({ ...contoso('x', new Date()), apps: [app] }),
    audiences: () => [GRAPH],
    keys: counting,
    now: () => clockOfEntra(),
    lifetimeSeconds: () => lifetimeSeconds,
  });
  endpoint = await startManagedIdentity({
    port: 0,
    tenantId: LOCAL_TENANT_ID,
    get identities() {
      return identities;
    },
    resources: () => [GRAPH, VAULT_RESOURCE],
    exchange: { audience: AUDIENCE, authority: () => entra.url },
    keys: counting,
    now: () => new Date(),
  });
  vaultServer = await startKeyVault({
    tls,
    port: 0,
    secrets,
    tenantId: LOCAL_TENANT_ID,
    verifyToken: keys.verify,
    now: () => new Date(),
  });
  for (const [name, value] of Object.entries(endpoint.environment)) vi.stubEnv(name, value);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([entra.close(), endpoint.close(), vaultServer.close()]);
});

/** As the vault exports a certificate whose content type is PKCS #12. */
const toPfx = ({ privateKey, certificate }: ClientCertificate): string => {
  const pfx = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(privateKey),
    [forge.pki.certificateFromPem(certificate)],
    '',
    { algorithm: '3des' },
  );
  return Buffer.from(forge.asn1.toDer(pfx).getBytes(), 'binary').toString('base64');
};
const toPem = ({ privateKey, certificate }: ClientCertificate): string => `${privateKey}\n${certificate}`;

const certificates = await Promise.all([
  makeClientCertificate(new Date()),
  makeClientCertificate(new Date()),
]);
const [first, second] = certificates as [ClientCertificate, ClientCertificate];

/** What a kind of credential has to show, and how the world is made for it. */
type Kind = {
  readonly credential: (name: string) => Credential;
  /** Sets up what an administrator does. */
  readonly setUp: (name: string) => Promise<void>;
  /** What is issued for one token: a federated credential takes two. */
  readonly tokens: number;
  readonly wrong: { readonly arrange: () => void; readonly code: ErrorCode };
  readonly expired?: { readonly arrange: () => void; readonly code: ErrorCode };
  /** The vault gets another version, and Entra knows that one alone. */
  readonly rotate?: (name: string) => Promise<void>;
  readonly asked: () => HttpFaults;
  readonly throttled: ErrorCode;
  readonly unreachable: ErrorCode;
};

let identityId = '';
const federated = (rest: Partial<NonNullable<AppRegistration['federatedCredentials']>[number]> = {}) => ({
  issuer: `${entra.url}/${LOCAL_TENANT_ID}/v2.0`,
  subject: principalIdOf(identityId),
  audience: AUDIENCE,
  ...rest,
});
const change = (changes: Partial<AppRegistration>) => {
  app = { ...app, ...changes };
};
const ofEntra = {
  asked: () => entra.faults,
  throttled: 'ENTRA_THROTTLED',
  unreachable: 'ENTRA_UNREACHABLE',
} as const;

const withCertificate = (toValue: (certificate: ClientCertificate) => string): Kind => ({
  credential: (certificateName) => ({ kind: 'certificate', certificateName }),
  setUp: async (name) => {
    await secrets.set(name, { value: toValue(first), managed: true }, inDays(-1));
    change({ certificates: [{ pem: first.certificate }] });
  },
  tokens: 1,
  wrong: { arrange: () => change({ certificates: [] }), code: 'CERTIFICATE_NOT_REGISTERED' },
  expired: {
    arrange: () => change({ certificates: [{ pem: first.certificate, expiresOn: inDays(-1) }] }),
    code: 'CERTIFICATE_EXPIRED',
  },
  rotate: async (name) => {
    await secrets.set(name, { value: toValue(second), managed: true }, new Date());
    change({ certificates: [{ pem: second.certificate }] });
  },
  ...ofEntra,
});

const KINDS: Readonly<Record<string, Kind>> = {
  'a client secret': {
    credential: (secretName) => ({ kind: 'client-secret', secretName }),
    setUp: async (name) => {
      await secrets.set(name, { value: 'the-secret' }, inDays(-1));
      change({ secrets: [{ value: 'the-secret', expiresOn: inDays(1) }] });
    },
    tokens: 1,
    wrong: { arrange: () => change({ secrets: [] }), code: 'CLIENT_SECRET_WRONG' },
    expired: {
      arrange: () => change({ secrets: [{ value: 'the-secret', expiresOn: inDays(-1) }] }),
      code: 'CLIENT_SECRET_EXPIRED',
    },
    rotate: async (name) => {
      await secrets.set(name, { value: 'the-new-secret' }, new Date());
      change({ secrets: [{ value: 'the-new-secret', expiresOn: inDays(1) }] });
    },
    ...ofEntra,
  },
  'a certificate as PEM': withCertificate(toPem),
  'a certificate as PFX': withCertificate(toPfx),
  'a federated credential': {
    credential: () => ({ kind: 'federated' }),
    setUp: async () => change({ federatedCredentials: [federated()] }),
    tokens: 2,
    wrong: {
      arrange: () => change({ federatedCredentials: [federated({ subject: identityId })] }),
      code: 'FEDERATED_SUBJECT_WRONG',
    },
    // Its token lives a day.
    expired: {
      arrange: () => {
        clockOfEntra = () => inDays(2);
      },
      code: 'ASSERTION_TIME_REFUSED',
    },
    ...ofEntra,
  },
  'the managed identity itself': {
    credential: () => ({ kind: 'managed-identity' }),
    setUp: async () => undefined,
    tokens: 1,
    wrong: {
      arrange: () => {
        identities = [];
      },
      code: 'IDENTITY_UNAVAILABLE',
    },
    asked: () => endpoint.faults,
    throttled: 'IDENTITY_UNREACHABLE',
    unreachable: 'IDENTITY_UNREACHABLE',
  },
};

beforeEach(() => {
  issued = 0;
  lifetimeSeconds = 3600;
  clockOfEntra = () => new Date();
  identityId = randomUUID();
  identities = [{ clientId: identityId, roles: { [GRAPH]: ['Mail.Send'] } }];
  app = { ...contoso('x', new Date()).apps[0]!, roles: ['Mail.Send'], secrets: [] };
});

describe.each(Object.entries(KINDS))('%s', (_name, kind) => {
  const open = async () => {
    const name = `credential-${randomUUID()}`;
    await kind.setUp(name);
    let now = new Date();
    const clock = () => now;
    const credential = kind.credential(name);
    const identityOfVault = {
      getToken: async () => ({
        token: await keys.sign({
          aud: VAULT_RESOURCE,
          iss: `https://sts.windows.net/${LOCAL_TENANT_ID}/`,
          tid: LOCAL_TENANT_ID,
          appid: identityId,
          iat: 0,
          nbf: 0,
          exp: Math.floor(inDays(1).getTime() / 1000),
        }),
        expiresOnTimestamp: inDays(1).getTime(),
      }),
    };
    let vault: KeyVault | undefined;
    const { all } = openConnections(
      [
        {
          name: MAIN_CONNECTION,
          cloud: 'global',
          authority: entra.url,
          graphEndpoint: GRAPH,
          tenantId: LOCAL_TENANT_ID,
          clientId: LOCAL_CLIENT_ID,
          credential,
          senders: [],
        },
      ],
      [],
      {
        vault: () => {
          if (credential.kind === 'federated' || credential.kind === 'managed-identity')
            throw new Error('a connection without a secret opens no vault');
          vault ??= openKeyVault({ vaultUrl: vaultServer.url }, { credential: identityOfVault, now: clock });
          return vault;
        },
        identity: (clientId = identityId) => managedIdentity(clientId, { maxRetries: 0 }),
        now: clock,
        network: openSdkNetwork(undefined),
        graphTimeoutMs: 30_000,
        tokenTimeoutMs: 30_000,
      },
    );
    const [connection] = all;
    if (connection === undefined) throw new Error('expected the main connection');
    return {
      name,
      prove: connection.proveCredential,
      /** What a mail meets on the way to its token. */
      mail: () => connection.call({ method: 'GET', path: '/me' }),
      pass: (ms: number) => {
        now = new Date(now.getTime() + ms);
      },
    };
  };
  const codeOf = async (call: Promise<unknown>): Promise<ErrorCode> => {
    const error = await call.catch((reason: unknown) => reason);
    if (error instanceof AppError) return error.code;
    throw new Error('expected an AppError', { cause: error });
  };
  const GOT_A_TOKEN = { kind: 'not-connected' };

  test('gets a token, and says what is in it and which version was accepted', async () => {
    const { prove, name } = await open();
    const { roles, expiresOn, version } = await prove();
    expect(roles).toEqual(['Mail.Send']);
    expect(expiresOn.getTime()).toBeGreaterThan(Date.now() + 55 * 60_000);
    expect(version?.name).toBe(kind.rotate === undefined ? undefined : name);
  });

  test('gets one token for a hundred mails, and uses it until it is about to end', async () => {
    const { mail } = await open();
    const answers = await Promise.all(Array.from({ length: 100 }, mail));
    await mail();
    for (const answer of answers) expect(answer).toEqual(GOT_A_TOKEN);
    expect(issued).toBe(kind.tokens);
  });

  test('is proved although a token is kept, and a mail then uses the new one', async () => {
    const { mail, prove } = await open();
    await mail();
    kind.wrong.arrange();
    expect(await mail()).toEqual(GOT_A_TOKEN);
    // The platform keeps tokens of a managed identity for a day, and gives none anew.
    if (kind.asked() === entra.faults) expect(await codeOf(prove())).toBe(kind.wrong.code);
    expect(await mail()).toEqual(GOT_A_TOKEN);
  });

  test('that is wrong is told with its own reason', async () => {
    const { mail, prove } = await open();
    kind.wrong.arrange();
    expect(await codeOf(mail())).toBe(kind.wrong.code);
    expect(await codeOf(prove())).toBe(kind.wrong.code);
  });

  test.runIf(kind.expired)('that has expired is told with its own reason', async () => {
    const { mail } = await open();
    kind.expired?.arrange();
    expect(await codeOf(mail())).toBe(kind.expired?.code);
  });

  test.runIf(kind.rotate)(
    'that was rotated works in the next moment, with one reading of the vault for a hundred mails',
    async () => {
      const { mail, prove, name } = await open();
      // So short that the next mail needs another one, while what was read of the vault is still kept.
      lifetimeSeconds = 240;
      await mail();
      await kind.rotate?.(name);
      lifetimeSeconds = 3600;
      const before = vaultServer.requests().length;
      const answers = await Promise.all(Array.from({ length: 100 }, mail));
      for (const answer of answers) expect(answer).toEqual(GOT_A_TOKEN);
      // The list of versions, and the two that are valid.
      expect(vaultServer.requests().length - before).toBe(3);
      expect((await prove()).version?.version).toBe(secrets.current(name)?.version);
    },
  );

  test('is not blamed where the service is throttled, and works afterwards', async () => {
    const { mail, pass } = await open();
    kind.asked().add({ status: 429, path: '/token', retryAfter: '1' });
    expect(await codeOf(mail())).toBe(kind.throttled);
    pass(6000);
    expect(await mail()).toEqual(GOT_A_TOKEN);
  });

  test('is not blamed where the service cannot be reached, and works afterwards', async () => {
    const { mail, pass } = await open();
    kind.asked().add({ reset: true, path: '/token', times: 2 });
    expect(await codeOf(mail())).toBe(kind.unreachable);
    pass(6000);
    kind.asked().clear();
    expect(await mail()).toEqual(GOT_A_TOKEN);
  });
});
