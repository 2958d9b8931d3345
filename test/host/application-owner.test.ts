import { afterAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../src/lib/error-catalogue.ts';
import { run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { codeBlocksOf, readDocument } from '../support/documents.ts';
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
