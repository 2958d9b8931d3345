import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { holdPoisonMessage } from '../../../src/lib/delivery/hold-poison-message.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

/** Every text of it is a canary; the sender and the tags are what the ledger is meant to have. */
const mail = aMail({
  to: 'Canary <canary@fabrikam.example>',
  bcc: ['canary-bcc@fabrikam.example'],
  subject: 'canary subject',
  text: 'canary text',
  html: '<p>canary <img src="cid:canary"></p>',
  attachments: [{ filename: 'canary.png', content: 'YQ==', cid: 'canary' }],
  headers: { 'x-canary': 'canary' },
  idempotencyKey: 'canary-key',
});

const NAMES = { canary: 1, 'canary@fabrikam.example': 1, 'Canary Chan': { canary: 'canary' } };
/** Emails that are wrong, and whose field names say something of people. */
const WRONG: readonly [string, unknown][] = [
  ['fields with the names of people', { ...mail, ...NAMES }],
  ['people as recipients by field name', { ...mail, to: NAMES }],
  ['people in the names of headers', { ...mail, headers: { 'canary@fabrikam.example': 'canary' } }],
  ['people in the fields of a file', { ...mail, attachments: [{ ...NAMES, content: 'YQ==' }] }],
  ['an address that is none', { ...mail, to: 'canary' }],
  ['a tag that is an address', { ...mail, tags: ['canary@fabrikam.example'] }],
  ['a sender that is not allowed', { ...mail, from: 'noreply@elsewhere.example' }],
  ['no object', 'canary'],
  ['a list', [mail]],
];

const expectNothing = (world: World) => {
  expect(world.rows().length).toBeGreaterThan(0);
  expect(JSON.stringify([world.rows(), world.logged, world.announced])).not.toMatch(/canary/i);
};

const asMessage = (input: unknown) => ({
  text: JSON.stringify(input),
  insertedAt: NOW,
  caller: 'queue',
  redelivered: false,
  messageId: '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61',
});

describe('rows, log and events have nothing of an email, not even the name of a field', () => {
  test.each([
    ['sent', { kind: 'answered', status: 202 }],
    ['refused by Graph', { kind: 'answered', status: 400, code: 'ErrorInvalidRecipients' }],
    ['in doubt', { kind: 'lost', why: 'timeout' }],
  ] as const)('that was %s', async (_case, report) => {
    const world = inMemoryPorts(report);
    await deliverMail({ ...world.needs, sending: world.needs }, asMessage(mail));
    await sendMail(world.needs, { input: mail, caller: aCaller(), respondAsync: false }).catch(
      () => undefined,
    );
    expectNothing(world);
  });

  test.each(WRONG)('with %s, held from the queue', async (_case, input) => {
    const world = inMemoryPorts();
    await deliverMail({ ...world.needs, sending: world.needs }, asMessage(input));
    expect(world.rows()).toMatchObject([{ state: 'held' }]);
    expectNothing(world);
  });

  test.each(WRONG)('with %s, given up by the host', async (_case, input) => {
    const world = inMemoryPorts();
    await holdPoisonMessage(world.needs, asMessage(input));
    expectNothing(world);
  });
});

describe('an email cannot name its caller', () => {
  test.each(['caller', 'callerName', 'relay', 'mailId'])('by HTTP, in the field %s', async (field) => {
    const world = inMemoryPorts();
    const request = {
      input: { ...aMail(), [field]: 'payroll' },
      caller: aCaller('helpdesk'),
      respondAsync: false,
    };
    await expect(sendMail(world.needs, request)).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    expect(world.rows()).toEqual([]);
  });

  test.each([
    { caller: 'payroll' },
    { relay: { caller: 'payroll' } },
    { relay: { caller: 'payroll', mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', turn: 1, phase: 'send' } },
  ])('on the queue, as %j', async (more) => {
    const world = inMemoryPorts();
    await deliverMail({ ...world.needs, sending: world.needs }, asMessage({ ...aMail(), ...more }));
    expect(world.rows()).toMatchObject([{ caller: 'queue', state: 'held' }]);
  });
});
