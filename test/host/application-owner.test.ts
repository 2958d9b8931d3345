import { afterAll, describe, expect, test } from 'vitest';
import { toMailAnswer } from '../../src/functions/mail-answer.ts';
import { catalogue } from '../../src/lib/error-catalogue.ts';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { captureNew, closeWaiting } from '../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../support/a-delivery.ts';
import { run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { codeBlocksOf, readDocument } from '../support/documents.ts';
import { NOW } from '../support/in-memory-ports.ts';
import { startRelay } from './relay-for-tests.ts';

const page = readDocument('docs/application-owner.md');
const [firstEmail = '', ownRules = '', ...more] = codeBlocksOf(page).map(({ text }) => text);

const relay = await startRelay();
afterAll(() => relay.close());

const manage = (method: string, path: string, body: unknown) =>
  relay.call(method, path, {
    key: KEYS.masterKey,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const runWith = async (command: string, key: string) => {
  const environment = { MAIL_RELAY_URL: relay.url(), MAIL_RELAY_KEY: key };
  const { status, output } = await run(['bash', '-c', `${command.trimEnd()} --silent`], {
    folder: relay.cloud.folder,
    environment,
  });
  expect(status, output).toBe(0);
  return JSON.parse(output) as Record<string, unknown>;
};

test('the page for owners has two commands, and both work with a key of the relay', async () => {
  expect(more).toEqual([]);
  const { status, body } = await manage('POST', '/api/callers', {
    name: 'payroll',
    senders: ['noreply@contoso.example'],
    mailsPerDay: 5,
  });
  expect(status).toBe(201);
  const key = /gmr_[a-z0-9]+_[a-z0-9]+/.exec(JSON.stringify(body))?.[0] ?? '';

  expect(await runWith(firstEmail, key)).toMatchObject({ state: 'sent', sender: 'noreply@contoso.example' });
  expect(await relay.mailsAbout('First email')).toHaveLength(1);
  expect(await runWith(ownRules, key)).toMatchObject({
    name: 'payroll',
    senders: ['noreply@contoso.example'],
    limits: { mailsPerDay: 5 },
    today: { mails: { taken: 1, limit: 5 } },
  });
  expect(await runWith(firstEmail, key.slice(0, -1))).toMatchObject({ code: 'KEY_NOT_ACCEPTED' });
});

test('the table of responses has every state that the relay returns for an email, and no other', () => {
  const { rows: waiting, facts } = aDelivery();
  // Of one that is being sent, was rejected or canceled, a repeated request gets a problem.
  const { sending: _, rejected: __, ...answered } = waiting;
  const accepted: readonly LedgerRow[] = [
    ...Object.values(answered),
    closeWaiting(waiting.queued, 'a note', NOW),
    captureNew(facts, false, NOW),
  ];
  const rows = page.text.split('\n').filter((line) => /^\| `\d{3}`, `"state"/.test(line));
  const told = rows.flatMap((line) => {
    const [, status, cell = ''] = /^\| `(\d{3})`, (.+?) \|/.exec(line) ?? [];
    return [...cell.matchAll(/"(?:state": ")?([a-z]+)"/g)].map(([, state]) => `${status} ${state}`);
  });
  const returned = accepted.map((row) => {
    const { status, body } = toMailAnswer({ row, repeated: false, warnings: [] }, 'url');
    return `${status} ${body.state}`;
  });
  expect(told.sort()).toEqual([...new Set(returned)].sort());
});

describe('the table of rejections', () => {
  const rows = page.text.split('\n').flatMap((line) => {
    const [, status, cell = ''] = /^\| (\d{3}) \| (`[^|]+) \|/.exec(line) ?? [];
    return [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => [code, Number(status)] as const);
  });

  test.each(rows)('has %s with the status that the relay returns, %i', (code, status) => {
    expect(catalogue[code as keyof typeof catalogue].status).toBe(status);
  });

  test('has every code that is about a caller', () => {
    const codes = Object.entries(catalogue).flatMap(([code, { status }]) =>
      status < 500 &&
      /^(CALLER|KEY|TOKEN|CREDENTIALS|DOOR|SENDER|RECIPIENT)_/.test(code) &&
      [401, 403, 429].includes(status)
        ? code
        : [],
    );
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => !page.text.includes(code))).toEqual([]);
  });
});
