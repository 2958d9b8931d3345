import { describe, expect, test } from 'vitest';
import { type Directory, LOCAL_CLIENT_ID, mayRenewItsSecret } from '../../../local/directory.ts';
import type { ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openRegistration } from '../../../src/lib/graph/registration.ts';
import { contosoForTests, graphForTests, tokenWith } from '../../local/graph/graph-for-tests.ts';
import { graphCall } from './graph-call-for-tests.ts';
import { scriptedServer } from './scripted-server.ts';

const OWNED = 'Application.ReadWrite.OwnedBy';
const EXPIRES = new Date('2026-08-29T08:00:00.000Z');
const NAME = 'Graph Mail Relay 1';

/** The registration of the relay in a directory that can be changed. */
const registrationIn = async (
  change: (usual: Directory) => Directory = mayRenewItsSecret,
  { roles = [OWNED] as readonly string[], clientId = LOCAL_CLIENT_ID } = {},
) => {
  let directory = change(contosoForTests());
  const graph = await graphForTests({
    directory: () => directory,
    changeDirectory: (changed) => {
      directory = changed(directory);
    },
  });
  const call = graphCall(graph.url, { readToken: () => tokenWith({ roles }) });
  return { registration: openRegistration(call, clientId), secrets: () => directory.apps[0]?.secrets ?? [] };
};

const refused = async (asked: Promise<unknown>): Promise<AppError> => {
  const thrown = await asked.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(AppError);
  return thrown as AppError;
};

describe('the registration of the relay', () => {
  test('is read with its secrets, of which no value is known', async () => {
    const { registration } = await registrationIn();
    expect(await registration.read()).toEqual([
      {
        kind: 'secret',
        keyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        hint: 'a s',
        startsOn: expect.any(Date),
        expiresOn: new Date('2027-03-02T08:00:00.250Z'),
      },
    ]);
  });

  test('is given a secret with its own name and end, once, and loses it by its id', async () => {
    const { registration, secrets } = await registrationIn();
    const made = await registration.addPassword(NAME, EXPIRES);
    expect(made).toEqual({
      keyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      value: secrets()[1]?.value,
      expiresOn: EXPIRES,
    });
    expect((await registration.read())?.[1]).toMatchObject({
      keyId: made.keyId,
      displayName: NAME,
      expiresOn: EXPIRES,
    });
    await registration.removePassword(made.keyId);
    expect(secrets()).toHaveLength(1);
  });

  test('has lost a secret that was removed before', async () => {
    const { registration } = await registrationIn();
    await registration.removePassword('f0b0b335-1d71-4883-8f98-567911bfdca6');
  });

  test.each([
    ['without the permission', mayRenewItsSecret, []],
    ['for which another role is not enough', mayRenewItsSecret, ['Mail.Send']],
    ['of which it is no owner', (usual: Directory) => usual, [OWNED]],
  ])('%s can be neither read nor changed', async (_case, directory, roles) => {
    const { registration } = await registrationIn(directory, { roles });
    expect(await registration.read()).toBeUndefined();
    const changes = [
      () => registration.addPassword(NAME, EXPIRES),
      () => registration.removePassword('f0b0b335-1d71-4883-8f98-567911bfdca6'),
    ];
    for (const change of changes) expect((await refused(change())).code).toBe('REGISTRATION_ACCESS_DENIED');
  });

  test('can be read by who may read all, and changed by who may change all', async () => {
    const { registration: read } = await registrationIn((usual) => usual, {
      roles: ['Application.Read.All'],
    });
    expect(await read.read()).toHaveLength(1);
    expect((await refused(read.addPassword(NAME, EXPIRES))).code).toBe('REGISTRATION_ACCESS_DENIED');
    const { registration: changed } = await registrationIn((usual) => usual, {
      roles: ['Application.ReadWrite.All'],
    });
    expect((await changed.addPassword(NAME, EXPIRES)).expiresOn).toEqual(EXPIRES);
  });

  test('of another tenant is not there', async () => {
    const { registration } = await registrationIn(mayRenewItsSecret, {
      clientId: '00000000-1111-2222-3333-444444444444',
    });
    expect((await refused(registration.read())).code).toBe('REGISTRATION_NOT_FOUND');
  });

  test.each<[string, (usual: Directory) => Directory, ErrorCode, string]>([
    [
      'that allows no secrets',
      (usual) => ({ ...usual, appPolicies: { blocksPasswords: true } }),
      'CLIENT_SECRETS_NOT_ALLOWED',
      'CredentialTypeNotAllowedAsPerAppPolicy',
    ],
    [
      'that allows secrets of 90 days',
      (usual) => ({ ...usual, appPolicies: { passwordDays: 90 } }),
      'CLIENT_SECRET_LIFETIME_LIMITED',
      'CredentialInvalidLifetimeAsPerAppPolicy',
    ],
    [
      'that allows two secrets',
      (usual) => ({ ...usual, apps: usual.apps.map((app) => ({ ...app, mostSecrets: 1 })) }),
      'CLIENT_SECRETS_TOO_MANY',
      'TooManyAppPasswords',
    ],
  ])(
    'in a tenant %s is refused a secret, and the reason says so',
    async (_case, change, code, upstreamCode) => {
      const { registration } = await registrationIn((usual) => change(mayRenewItsSecret(usual)));
      const { code: received, facts } = await refused(registration.addPassword(NAME, EXPIRES));
      expect([received, facts.upstreamCode]).toEqual([code, upstreamCode]);
      expect(facts.graphRequestId).toEqual(expect.any(String));
    },
  );
});

describe('an answer that is none of these', () => {
  const answering = async (status: number, body: unknown) => {
    const server = await scriptedServer((_request, response) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    return { ...openRegistration(graphCall(server.url), LOCAL_CLIENT_ID), seen: server.seen };
  };
  const error = (code: string, message = '') => ({ error: { code, message } });

  test.each<[number, unknown, ErrorCode]>([
    [401, error('InvalidAuthenticationToken'), 'GRAPH_TOKEN_NOT_ACCEPTED'],
    [404, error('Request_ResourceNotFound'), 'REGISTRATION_NOT_FOUND'],
    [429, error('TooManyRequests'), 'GRAPH_THROTTLED'],
    [503, error('ServiceUnavailable'), 'GRAPH_UNAVAILABLE'],
    [400, error('Directory_ResourceSizeExceeded'), 'CLIENT_SECRETS_TOO_MANY'],
    [400, error('Request_BadRequest', 'Not allowed to add 3 passwords.'), 'CLIENT_SECRETS_TOO_MANY'],
    [
      400,
      error(
        'Request_BadRequest',
        "Credential lifetime exceeds the max value allowed as per assigned policy 'x'",
      ),
      'CLIENT_SECRET_LIFETIME_LIMITED',
    ],
    [400, error('Request_BadRequest'), 'REGISTRATION_CHANGE_REFUSED'],
    [400, error('constructor'), 'REGISTRATION_CHANGE_REFUSED'],
    [202, {}, 'REGISTRATION_ANSWER_UNEXPECTED'],
    [200, '<html>', 'REGISTRATION_ANSWER_UNEXPECTED'],
    [200, { keyId: 'k', secretText: 'canary' }, 'REGISTRATION_ANSWER_UNEXPECTED'],
    [200, { keyId: 'k', endDateTime: '2026-08-29T08:00:00Z' }, 'REGISTRATION_ANSWER_UNEXPECTED'],
  ])('%i %j to a new secret is %s, and has no value in it', async (status, body, code) => {
    const thrown = await refused((await answering(status, body)).addPassword(NAME, EXPIRES));
    expect(thrown.code).toBe(code);
    expect(JSON.stringify([thrown.message, thrown.facts, String(thrown.facts.cause)])).not.toContain(
      'canary',
    );
  });

  test('that is lost is one after which nobody knows what was made', async () => {
    const server = await scriptedServer((_request, response) => response.destroy());
    const registration = openRegistration(graphCall(server.url), LOCAL_CLIENT_ID);
    expect((await refused(registration.addPassword(NAME, EXPIRES))).code).toBe('GRAPH_UNREACHABLE');
    expect(server.seen).toHaveLength(1);
  });

  test('is asked for once, by the client id and with the fields that are read', async () => {
    const { read, seen } = await answering(200, { passwordCredentials: [], keyCredentials: [] });
    expect(await read()).toEqual([]);
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /v1.0/applications(appId='${LOCAL_CLIENT_ID}')?$select=id,passwordCredentials,keyCredentials`,
    ]);
  });

  test.each([{}, { passwordCredentials: [] }, []])(
    'without the credentials is not an empty registration: %j',
    async (body) => {
      const { read } = await answering(200, body);
      expect((await refused(read())).code).toBe('REGISTRATION_ANSWER_UNEXPECTED');
    },
  );

  test('has certificates with the SHA-1 by which people know them', async () => {
    const sha1 = '0123456789ABCDEF0123456789ABCDEF01234567';
    const certificate = { keyId: 'c1', displayName: 'CN=relay', endDateTime: '2026-08-29T08:00:00Z' };
    const { read } = await answering(200, {
      passwordCredentials: [],
      keyCredentials: [
        Buffer.from(sha1, 'hex').toString('base64'),
        Buffer.from(sha1, 'latin1').toString('base64'),
        sha1.toLowerCase(),
        null,
        'bm8gc2hhLTE=',
      ].map((customKeyIdentifier) => ({ ...certificate, customKeyIdentifier })),
    });
    expect((await read())?.map(({ kind, thumbprint }) => [kind, thumbprint])).toEqual([
      ['certificate', sha1],
      ['certificate', sha1],
      ['certificate', sha1],
      ['certificate', undefined],
      ['certificate', undefined],
    ]);
  });
});
