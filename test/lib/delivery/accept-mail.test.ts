import { describe, expect, test } from 'vitest';
import {
  type AcceptPolicy,
  judgeMail,
  planMail,
  sketchFacts,
  tryToAccept,
} from '../../../src/lib/delivery/accept-mail.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { errorOf } from '../../support/problems-of.ts';

const { needs } = inMemoryPorts();
const { accept: policy } = needs;
const origin = { mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', caller: 'key:test', acceptedAt: NOW };
const caller = aCaller('key:test');
const everything = aMail({
  from: 'noreply@contoso.example',
  cc: 'lee@contoso.example',
  bcc: ['wong@contoso.example'],
  tags: ['pay-slip'],
  idempotencyKey: 'k-1',
  saveToSentItems: false,
});

const accept = (input: unknown, more: AcceptPolicy = policy) =>
  tryToAccept(needs, more, IDENTITY, origin, { caller }, input);

describe('what the ledger keeps of an email', () => {
  const { idempotencyKey: key } = everything;

  test('is how many recipients it has and hashes: no address of theirs, no content, no key', async () => {
    expect(await accept(everything)).toMatchObject({
      facts: {
        ...{ mailId: origin.mailId, caller: 'key:test', acceptedAt: NOW.toISOString() },
        ...{ sender: 'noreply@contoso.example', recipients: 3, tags: ['pay-slip'], leavesCopy: false },
        keyHash: IDENTITY.hashOfKey(String(key)),
        bodyHash: IDENTITY.hashOfContent(everything),
      },
    });
    const { facts } = await accept(everything);
    expect(facts).not.toHaveProperty('recipientAddresses');
    expect(JSON.stringify(facts)).not.toMatch(/chan|lee|wong|k-1|Pay slip/);
  });

  test('has the addresses of recipients where the settings want that', async () => {
    const { facts } = await accept(everything, { ...policy, ledgerRecipients: true });
    expect(facts.recipientAddresses).toEqual([
      'chan@contoso.example',
      'lee@contoso.example',
      'wong@contoso.example',
    ]);
  });

  test('has the hash it is known by, where it is known already', async () => {
    const known = { ...origin, contentHash: 'of an earlier version' };
    expect((await tryToAccept(needs, policy, IDENTITY, known, { caller }, aMail())).facts.bodyHash).toBe(
      'of an earlier version',
    );
  });
});

describe('an email that may not be sent', () => {
  const tooLarge = aMail({ attachments: [{ filename: 'a.bin', content: base64Of(3_000_000) }] });

  test.each<[string, unknown, string, object]>([
    ['is no object', 'hello', 'JSON_UNREADABLE', { sender: '', recipients: 0 }],
    ['has a field nobody knows', aMail({ nope: 1 }), 'FIELD_UNKNOWN', { recipients: 1 }],
    [
      'has another sender',
      aMail({ from: 'ceo@contoso.example' }),
      'SENDER_NOT_ALLOWED',
      { sender: 'ceo@contoso.example' },
    ],
    ['is too large', tooLarge, 'MAIL_TOO_LARGE', { recipients: 1 }],
  ])('is refused with its reason and what can be read of it: it %s', async (_case, input, code, facts) => {
    expect(await accept(input)).toMatchObject({ refused: { code }, facts: { caller: 'key:test', ...facts } });
  });

  test('is refused to a caller before anything is asked of storage', async () => {
    expect(errorOf(() => judgeMail(policy, caller, 'http', aMail({ nope: 1 }))).code).toBe('FIELD_UNKNOWN');
    expect(
      errorOf(() => judgeMail(policy, caller, 'http', aMail({ from: 'ceo@contoso.example' }))).code,
    ).toBe('SENDER_NOT_ALLOWED');
    const judged = judgeMail(policy, caller, 'http', tooLarge);
    await expect(planMail(needs, policy, IDENTITY, origin, tooLarge, judged)).rejects.toMatchObject({
      code: 'MAIL_TOO_LARGE',
    });
  });
});

test('the sender of a whole message is the one in its header, and is held to the same settings', () => {
  const from = (address: string) => ({
    mime: Buffer.from(`From: ${address}\r\nTo: chan@contoso.example\r\n\r\nHi\r\n`).toString('base64'),
  });
  expect(judgeMail(policy, caller, 'http', from('noreply@contoso.example')).sender).toEqual({
    address: 'noreply@contoso.example',
  });
  expect(
    errorOf(() => judgeMail(policy, caller, 'http', from('ceo@contoso.example'))).facts.problems,
  ).toMatchObject([{ code: 'SENDER_NOT_ALLOWED', pointer: '/mime' }]);
});

test('a caller who waits and the queue accept the same', async () => {
  const judged = judgeMail(policy, caller, 'http', everything);
  expect(await planMail(needs, policy, IDENTITY, origin, everything, judged)).toEqual(
    await accept(everything),
  );
});

test('a fault of ours is no refusal', async () => {
  const hashes = {
    ...IDENTITY,
    hashOfContent: () => {
      throw new RangeError('a fault');
    },
  };
  await expect(tryToAccept(needs, policy, hashes, origin, { caller }, aMail())).rejects.toThrow(RangeError);
});

test('what can be read of an email that is held says who sent it, if the fault lies elsewhere', () => {
  expect(sketchFacts(policy, IDENTITY, origin, aMail({ nope: 1 }), caller)).toMatchObject({ recipients: 1 });
  expect(sketchFacts(policy, IDENTITY, origin, undefined, caller)).toMatchObject({
    sender: '',
    bodyHash: '',
  });
});
