import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { SECRET_NAME } from '../../local/cloud.ts';
import type { AppSecret, Directory } from '../../local/directory.ts';
import { catalogue, type ErrorCode } from '../../src/lib/error-catalogue.ts';
import { expectNoCanary } from './no-canary.ts';
import {
  type Answer,
  canaryMail,
  FOREIGN_MAILBOX,
  newMarker,
  scopedByExchange,
  startRelay,
} from './relay-for-tests.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);

/** The secrets Entra knows, as the test has it. */
let secrets: AppSecret[] = [];

const withTheseSecrets = (usual: Directory): Directory => {
  const scoped = scopedByExchange()(usual);
  secrets = [...(usual.apps[0]?.secrets ?? [])];
  const [app] = scoped.apps;
  return {
    ...scoped,
    apps: [
      {
        ...app!,
        get secrets() {
          return secrets;
        },
      },
    ],
  };
};

// What is the matter with a mailbox is told where the settings name it.
const MAIL_ALLOWED_SENDERS = `*@contoso.example, ${FOREIGN_MAILBOX}, guest@contoso.example, nobody@contoso.example`;
const relay = await startRelay({ directory: withTheseSecrets, settings: { MAIL_ALLOWED_SENDERS } });
const first = secrets[0]!;
afterAll(() => relay.close());

const expectRefused = ({ status, headers, body }: Answer, code: ErrorCode, upstreamCode?: string) => {
  expect([body.code, status], JSON.stringify(body)).toEqual([code, catalogue[code].status]);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(body.remedy).toBe(catalogue[code].remedy);
  if (upstreamCode !== undefined) expect(body.upstreamCode).toBe(upstreamCode);
};

const store = (value: string, { expiresOn = inDays(365), createdOn = new Date() } = {}) =>
  relay.cloud.secrets.set(SECRET_NAME, { value, expiresOn }, createdOn);

describe('what stands between the relay and the mailbox', () => {
  test.each<[string, string, ErrorCode, string]>([
    ['a mailbox outside its scope', FOREIGN_MAILBOX, 'MAILBOX_OUT_OF_SCOPE', 'ErrorAccessDenied'],
    [
      'an account without a mailbox',
      'guest@contoso.example',
      'MAILBOX_NOT_FOUND',
      'MailboxNotEnabledForRESTAPI',
    ],
    ['an address nobody has', 'nobody@contoso.example', 'MAILBOX_NOT_FOUND', 'ErrorInvalidUser'],
  ])('%s', async (_case, from, code, upstreamCode) => {
    const answer = await relay.send(canaryMail(newMarker(), { from }));
    expectRefused(answer, code, upstreamCode);
    expect(answer.body.graphRequestId).toEqual(expect.any(String));
  });

  test.each<[string, number, string, ErrorCode]>([
    ['a right to send as somebody that is missing', 403, 'ErrorSendAsDenied', 'SEND_AS_DENIED'],
    ['a permission nobody consented to', 403, 'Authorization_RequestDenied', 'PERMISSION_NOT_GRANTED'],
    ['a recipient Exchange refuses', 400, 'ErrorInvalidRecipients', 'RECIPIENT_REFUSED'],
    ['a mailbox that is full', 507, 'ErrorQuotaExceeded', 'MAILBOX_FULL'],
  ])('%s', async (_case, status, graphCode, code) => {
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      fault: { kind: 'answer', status, code: graphCode, message: 'canary@fabrikam.example' },
    });
    expectRefused(await relay.send(canaryMail(newMarker())), code, graphCode);
  });

  test('200 is not 202: it does not count as sent', async () => {
    relay.cloud.graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 200 } });
    expectRefused(await relay.send(canaryMail(newMarker())), 'GRAPH_ANSWER_UNEXPECTED');
  });
});

describe('the client secret', () => {
  /** The only version that can be used is the first, and is old enough to be known everywhere. */
  const beginWith = async (createdOn: Date) => {
    secrets = [first];
    await disableAll();
    await store(first.value, { createdOn });
    await relay.restart();
  };
  const disableAll = async () => {
    for (const { version } of relay.cloud.secrets.versions(SECRET_NAME))
      await relay.cloud.secrets.update(SECRET_NAME, version, { enabled: false }, new Date());
  };
  beforeEach(() => beginWith(inDays(-1)));
  afterAll(() => beginWith(inDays(-1)));

  const known = (value: string): AppSecret => ({ value, expiresOn: inDays(365) });

  /** As when its time is over: Graph refuses the token the relay has, so that it needs a new one. */
  const loseTheToken = () =>
    relay.cloud.graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 401 } });

  test('when it has expired HTTP says so with the remedy, queued mail waits, and both go on with a new one', async () => {
    const [overHttp, queued] = [newMarker(), newMarker()];
    secrets = [{ ...first, expiresOn: inDays(-1) }];
    expectRefused(await relay.send(canaryMail(overHttp)), 'CLIENT_SECRET_EXPIRED', 'AADSTS7000222');
    await relay.enqueue(JSON.stringify(canaryMail(queued, { from: 'lane1@contoso.example' })));
    await relay.logged('MailQueued', { code: 'CLIENT_SECRET_EXPIRED' });
    expect(relay.cloud.mails.list().mails).toEqual([]);

    secrets = [...secrets, known('the-canary-of-a-new-secret')];
    await store('the-canary-of-a-new-secret');
    // It waits for longer than the refusal holds.
    await relay.arrives(queued);
    expect((await relay.send(canaryMail(overHttp))).status).toBe(200);
  });

  test('when the vault is ahead of Entra, a new instance sends with the version before', async () => {
    await store('the-canary-of-a-secret-of-this-moment');
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, mail) =>
        relay.send(canaryMail(newMarker(), { from: `lane${mail % 6}@contoso.example` })),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('when it is so new that Entra knows none, the caller is told to wait and the mail is sent in time', async () => {
    const [value, marker] = ['the-canary-of-the-only-secret', newMarker()];
    await disableAll();
    await store(value);
    secrets = [];
    const { status, body } = await relay.send(canaryMail(marker));
    expect([status, body.state]).toEqual([202, 'queued']);
    await relay.logged('MailQueued', { mailId: body.id, code: 'CLIENT_SECRET_TOO_NEW' });
    secrets = [known(value)];
    await relay.arrives(marker);
  });

  test('when it is wrong HTTP says so, and Entra is not asked for every mail', async () => {
    secrets = [];
    const before = relay.cloud.entra.tokenRequests().length;
    const answers = await Promise.all(
      // As many as one mailbox begins within two seconds.
      Array.from({ length: 8 }, () => relay.send(canaryMail(newMarker(), { from: 'lane7@contoso.example' }))),
    );
    for (const answer of answers) expectRefused(answer, 'CLIENT_SECRET_WRONG', 'AADSTS7000215');
    expect(relay.cloud.entra.tokenRequests().length - before).toBeLessThanOrEqual(4);
  });

  test('when it is disabled in the vault HTTP says so', async () => {
    await disableAll();
    expectRefused(await relay.send(canaryMail(newMarker())), 'SECRET_DISABLED');
  });

  test('when Graph refuses the token of a secret that is still good, another is asked for, and the mail goes', async () => {
    loseTheToken();
    expect((await relay.send(canaryMail(newMarker()))).status).toBe(200);
  });
});

describe('the settings of the credential', () => {
  test.each<[string, Record<string, string>, ErrorCode, string | undefined]>([
    [
      'an unknown tenant',
      { ENTRA_TENANT_ID: '00000000-1111-2222-3333-444444444444' },
      'TENANT_UNKNOWN',
      'AADSTS90002',
    ],
    [
      'an identity the app does not have',
      { AZURE_CLIENT_ID: '00000000-1111-2222-3333-444444444444' },
      'IDENTITY_UNAVAILABLE',
      undefined,
    ],
  ])('%s', async (_case, settings, code, upstreamCode) => {
    await relay.restart(settings);
    expectRefused(await relay.send(canaryMail(newMarker())), code, upstreamCode);
  });
});

test('nothing of these mails, and no secret, stands in the log or in a problem answer', () =>
  expectNoCanary(relay));
