import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { afterAll, describe, expect, test } from 'vitest';
import { SECRET_NAME } from '../../local/cloud.ts';
import type { AppRegistration } from '../../local/directory.ts';
import { LEDGER_TABLE } from '../../src/lib/storage/storage-connection.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { ROOT } from '../support/documents.ts';
import { askForToken } from './app-token.ts';
import { expectNoCanary } from './no-canary.ts';
import {
  BLIND_MAILBOX,
  canaryMail,
  eventually,
  FOREIGN_MAILBOX,
  LANES,
  newMarker,
  startRelay,
} from './relay-for-tests.ts';

const relay = await startRelay({
  // So short that each email needs a token of its own, and meets the registration as it is then.
  tokenLifetimeSeconds: () => 240,
  settings: { MAIL_VERIFY_SECONDS: '4', MAIL_PER_MINUTE_PER_MAILBOX: '10000' },
  limits: { on: false },
});
afterAll(() => relay.close());

const { connectionString } = relay.cloud.azurite;

/** The command for operators, as the runbook has it. */
const ledger = async (...args: readonly string[]): Promise<string> => {
  const env = { ...process.env, AZURE_STORAGE_CONNECTION_STRING: connectionString };
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/ledger.ts', ...args], {
    cwd: ROOT,
    env,
  });
  return stdout;
};

/** Loses every entity of the table. A table of the same name cannot be made again at once in Azure; its entities can go. */
const emptyTable = async (): Promise<void> => {
  const table = TableClient.fromConnectionString(connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  await table.deleteTable();
  const tables = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  await tables.createTable(LEDGER_TABLE);
};

const sendKeyed = (marker: string, from: string, more: Record<string, unknown> = {}) =>
  relay.send(canaryMail(marker, { from, idempotencyKey: marker, ...more }));

const isSettled = (id: string, states: readonly string[]) =>
  eventually(async () => {
    const { body } = await relay.show(id);
    if (!states.includes(String(body.state)))
      throw new Error(`expected ${states}, came ${JSON.stringify(body)}`);
    return body;
  });

describe('a ledger that is restored from a backup', () => {
  const backup = join(relay.cloud.folder, 'backup');
  const from = (lane: number): string => LANES[lane] ?? '';
  type Sent = { readonly marker: string; readonly send: () => Promise<{ readonly id: string }> };

  const byHttp = (lane: number, more: Record<string, unknown> = {}): Sent => {
    const marker = newMarker();
    return {
      marker,
      send: async () => {
        const { status, body } = await sendKeyed(marker, from(lane), more);
        if (status >= 300) throw new Error(JSON.stringify(body));
        return body;
      },
    };
  };
  const byQueue = (lane: number): Sent => {
    const marker = newMarker();
    return {
      marker,
      send: async () => {
        await relay.enqueue(JSON.stringify(canaryMail(marker, { from: from(lane), idempotencyKey: marker })));
        return { id: (await relay.identity()).mailIdOfKey('queue', marker) };
      },
    };
  };
  const mime = (marker: string, lane: number): string =>
    Buffer.from(
      `From: ${from(lane)}\r\nTo: canary-to@fabrikam.example\r\nSubject: canary-subject ${marker}\r\n\r\ncanary-body`,
    ).toString('base64');

  test('20 emails of the day that it does not know are sent once, or held with the reason', async () => {
    const before = [byHttp(0), byHttp(1), byQueue(2)];
    for (const { send } of before) await send();
    for (const { marker } of before) await relay.arrives(marker);
    await ledger('export', backup);

    const lost = [0, 1, 2, 3, 4].map((lane) => byHttp(lane));
    const later = [5, 6].map((lane) => byHttp(lane, { sendAt: new Date(Date.now() + 2000).toISOString() }));
    const queued = [7, 8, 9].map(byQueue);
    for (const { send } of [...lost, ...later, ...queued]) await send();
    const wholeMarker = newMarker();
    const whole = { mime: mime(wholeMarker, 3), idempotencyKey: wholeMarker };
    expect((await relay.send(whole)).status).toBe(200);
    const traceless = byHttp(4, { saveToSentItems: false });
    const { id: tracelessId } = await traceless.send();
    const blindMarker = newMarker();
    const { body: blind } = await sendKeyed(blindMarker, BLIND_MAILBOX);
    const bareMarkers = [newMarker(), newMarker()];
    for (const marker of bareMarkers)
      await relay.enqueue(JSON.stringify(canaryMail(marker, { from: from(5) })));
    const all = [
      ...[...before, ...lost, ...later, ...queued, traceless].map(({ marker }) => marker),
      ...bareMarkers,
      wholeMarker,
      blindMarker,
    ];
    for (const marker of all) await relay.arrives(marker);

    // One that waits as the storage goes: it was certainly not sent, and nothing in the backup says so.
    const waitsFrom = from(10);
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: waitsFrom,
      fault: { kind: 'answer', status: 429, retryAfter: '8' },
    });
    const waits = byHttp(10);
    const { id: waitsId } = await waits.send();
    expect((await relay.show(waitsId)).body.state).toBe('deferred');

    await relay.restart({}, async () => {
      await emptyTable();
      expect(await ledger('import', backup)).toContain('3 emails');
    });
    expect((await ledger('show')).startsWith('The ledger was restored at')).toBe(true);

    // The applications repeat everything that they can repeat, and send something new.
    const repeated = [...before, ...lost, ...later, ...queued];
    const ids: string[] = [];
    for (const { send } of repeated) ids.push((await send()).id);
    const { body: wholeAgain } = await relay.send(whole);
    await traceless.send();
    await sendKeyed(blindMarker, BLIND_MAILBOX);
    const fresh = byHttp(11);
    const { id: freshId } = await fresh.send();

    for (const id of [...ids, wholeAgain.id, freshId, waitsId]) await isSettled(id, ['sent']);
    for (const id of [tracelessId, blind.id]) {
      const held = await isSettled(id, ['held']);
      expect(held.reason).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    }
    await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
    const arrived = await Promise.all(
      [...all, waits.marker, fresh.marker].map(async (marker) => (await relay.mailsAbout(marker)).length),
    );
    expect(arrived).toEqual(arrived.map(() => 1));
    expect(arrived).toHaveLength(20);
  });

  test('what is received without a key afterwards is sent immediately, and what has one too once keys are trusted', async () => {
    const plain = await relay.send(canaryMail(newMarker(), { from: from(0) }));
    expect([plain.status, plain.body.state]).toEqual([200, 'sent']);
    expect(await ledger('trust-keys')).toContain('without a search');
    await relay.restart();
    const keyed = await sendKeyed(newMarker(), from(0));
    expect([keyed.status, keyed.body.state]).toEqual([200, 'sent']);
    await rm(backup);
  });

  test('a held email that the backup does not have is held once more, and one that was closed can be closed again and is not sent', async () => {
    const heldMarker = newMarker();
    const { messageId } = await relay.enqueue(
      JSON.stringify(canaryMail(heldMarker, { from: FOREIGN_MAILBOX })),
    );
    const heldId = (await relay.identity()).mailIdOfMessage(messageId);
    await isSettled(heldId, ['held']);
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from(10),
      fault: { kind: 'answer', status: 429, retryAfter: '10' },
    });
    const waits = byHttp(10);
    const { id: closedId } = await waits.send();
    const close = () => relay.desk(`/api/mail/${closedId}/close`, { note: 'not wanted' });
    expect((await close()).body).toMatchObject({ state: 'closed' });
    await ledger('export', backup, '--without-emails');

    await relay.restart({ MAIL_ENABLED: 'false' }, async () => {
      await emptyTable();
      expect(await ledger('import', backup)).toContain('0 emails');
    });
    expect((await relay.show(heldId)).status).toBe(404);
    const closed = await close();
    expect([closed.status, closed.body.state]).toEqual([200, 'closed']);
    expect((await relay.runNow('sweepMail')).status).toBe(202);
    const held = await isSettled(heldId, ['held']);
    expect(held.reason).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const { body: list } = await relay.desk('/api/mail?state=held');
    expect(JSON.stringify(list)).toContain(heldId);

    await relay.restart();
    await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
    expect((await relay.show(closedId)).body.state).toBe('closed');
    expect(await relay.mailsAbout(waits.marker)).toHaveLength(0);
    expect(await relay.mailsAbout(heldMarker)).toHaveLength(0);
    await rm(backup);
  });
});

const YEAR_MS = 365 * 86_400_000;
const inAYear = () => new Date(Date.now() + YEAR_MS);
const newSecret = () => ({ value: randomBytes(30).toString('base64url'), expiresOn: inAYear() });

/** Changes the registration of the relay in Entra. */
const changeApp = (change: (app: AppRegistration) => AppRegistration | undefined): void =>
  relay.cloud.changeDirectory((directory) => {
    const [app, ...others] = directory.apps;
    const changed = app && change(app);
    return { ...directory, apps: changed === undefined ? others : [changed, ...others] };
  });

const inVault = (secret: { readonly value: string; readonly expiresOn: Date }) =>
  relay.cloud.secrets.set(SECRET_NAME, secret, new Date());

/** An email that an application has put on the queue, and one that a caller waits for. */
const sendBothWays = async (lane: number) => {
  const marker = newMarker();
  const { messageId } = await relay.enqueue(JSON.stringify(canaryMail(marker, { from: LANES[lane] })));
  const told = await relay.send(canaryMail(newMarker(), { from: LANES[lane] }));
  return { marker, id: (await relay.identity()).mailIdOfMessage(messageId), told };
};

describe('a vault whose secret is gone', () => {
  test('callers are told so, emails on the queue wait with the reason, and go once there is a new secret', async () => {
    const { secrets } = relay.cloud.directory().apps[0] ?? { secrets: [] };
    relay.cloud.keyVault.faults.add({
      path: `/secrets/${SECRET_NAME}`,
      status: 404,
      body: { error: { code: 'SecretNotFound', message: 'A secret with this name was not found.' } },
      times: 10_000,
    });
    await relay.restart();
    const { marker, id, told } = await sendBothWays(0);
    expect([told.status, told.body.code]).toEqual([502, 'SECRET_NOT_FOUND']);
    const waiting = await isSettled(id, ['deferred']);
    expect(waiting.reason).toMatchObject({ code: 'SECRET_NOT_FOUND' });

    const made = newSecret();
    changeApp((app) => ({ ...app, secrets: [...secrets, made] }));
    await inVault(made);
    relay.cloud.keyVault.faults.clear();
    await relay.arrives(marker);
    await isSettled(id, ['sent']);
  });
});

describe('a registration that is deleted', () => {
  test('emails wait with the reason, and go through a new one with another client ID', async () => {
    let deleted: AppRegistration | undefined;
    changeApp((app) => {
      deleted = app;
      return undefined;
    });
    const { marker, id, told } = await sendBothWays(1);
    expect([told.status, told.body.code]).toEqual([502, 'APP_UNKNOWN']);
    const waiting = await isSettled(id, ['deferred']);
    expect(waiting.reason).toMatchObject({ code: 'APP_UNKNOWN', upstreamCode: 'AADSTS700016' });

    if (deleted === undefined) throw new Error('there was a registration');
    const made = { ...deleted, clientId: randomUUID(), secrets: [newSecret()] };
    relay.cloud.changeDirectory((directory) => ({ ...directory, apps: [made, ...directory.apps] }));
    for (const secret of made.secrets) await inVault(secret);
    await relay.restart({ ENTRA_CLIENT_ID: made.clientId });
    await relay.arrives(marker);
    await isSettled(id, ['sent']);

    // The one of before, restored from Entra within 30 days, works as it did.
    const restored = deleted;
    relay.cloud.changeDirectory((directory) => ({
      ...directory,
      apps: [restored, ...directory.apps.slice(1)],
    }));
    for (const secret of restored.secrets) await inVault(secret);
    await relay.restart();
    expect((await sendBothWays(1)).told.status).toBe(200);
  });
});

describe('a client secret that leaked', () => {
  test('is refused by Entra as soon as it is removed, and emails go on with the new one without a restart', async () => {
    const { secrets: old = [] } = relay.cloud.directory().apps[0] ?? {};
    const thief = (secret: string) =>
      askForToken(relay.cloud, {
        id: relay.cloud.directory().apps[0]?.clientId ?? '',
        secret,
        scope: `${relay.cloud.graph.url}/.default`,
      });
    for (const { value } of old) expect((await thief(value)).access_token).toBeTruthy();

    const made = newSecret();
    changeApp((app) => ({ ...app, secrets: [...app.secrets, made] }));
    await inVault(made);
    changeApp((app) => ({ ...app, secrets: [made] }));

    for (const { value } of old) expect((await thief(value)).error_codes).toEqual([7000215]);
    const { told, marker } = await sendBothWays(2);
    expect([told.status, told.body.state]).toEqual([200, 'sent']);
    await relay.arrives(marker);
  });
});

describe('the key of a caller that leaked', () => {
  const manage = (method: string, path: string, body?: unknown) =>
    relay.call(method, path, {
      key: KEYS.masterKey,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const sendWith = async (key: string) => {
    const response = await fetch(`${relay.url()}/api/v1/mail`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(canaryMail(newMarker(), { from: LANES[3] })),
    });
    const { code } = (await response.json()) as { readonly code?: string };
    return { status: response.status, code };
  };

  test('is refused from the moment it is revoked, and the new one works beside it until then', async () => {
    const added = await manage('POST', '/api/callers', { name: 'payroll', senders: [LANES[3]] });
    const leaked = String(added.body.key);
    const made = await manage('POST', '/api/callers/payroll/keys');
    for (const key of [leaked, String(made.body.key)]) expect((await sendWith(key)).status).toBe(200);

    await manage('DELETE', `/api/callers/payroll/keys/${leaked.split('_')[1]}`);
    const refused = await sendWith(leaked);
    expect([refused.status, refused.code]).toEqual([401, 'KEY_NOT_ACCEPTED']);
    expect((await sendWith(String(made.body.key))).status).toBe(200);
  });
});

test('nothing of these emails is in the log or in a problem answer', () => expectNoCanary(relay));
