import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RELAY } from '../../../src/lib/callers/known-callers.ts';
import {
  type AcceptableMail,
  type AcceptPolicy,
  judgeMail,
  planFor,
  planMail,
  tryToAccept,
} from '../../../src/lib/delivery/accept-mail.ts';
import { dryRunMail } from '../../../src/lib/delivery/dry-run.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { toStatus } from '../../../src/lib/desk/mail-status.ts';
import { eventOf } from '../../../src/lib/ledger/mail-event.ts';
import { claim, queueNew } from '../../../src/lib/ledger/transitions.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { NO_SAFETY, type Safety } from '../../../src/lib/sending/safety.ts';
import { planSend } from '../../../src/lib/sending/send-plan.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { errorOf } from '../../support/problems-of.ts';
import { anyMail, tryToRead } from '../sending/any-mail.ts';

const TESTER = { address: 'test-inbox@contoso.example' };
const REDIRECT: Safety = { ...NO_SAFETY, redirectTo: TESTER };
const WITHIN: Safety = { ...NO_SAFETY, recipientDomains: ['*@contoso.example', 'tester@fabrikam.example'] };
const ID = '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee';
const ORIGIN = { mailId: ID, caller: 'key:test', acceptedAt: NOW };
const caller = aCaller('key:test');
const mail = aMail({ cc: 'lee@to.example', bcc: ['wong@bcc.example'] });

const { needs } = inMemoryPorts();
const policyOf = (safety: Safety): AcceptPolicy => ({ ...needs.accept, safety });

const accept = (input: unknown, safety: Safety, one = caller) =>
  tryToAccept(needs, policyOf(safety), IDENTITY, { ...ORIGIN, caller: one.name }, { caller: one }, input);

const recipientsOf = (accepted: Awaited<ReturnType<typeof accept>>): readonly string[] => {
  const { plan } = accepted as AcceptableMail;
  if (plan.kind !== 'json') throw new TypeError('expected JSON');
  const { message } = JSON.parse(plan.body.toString());
  return ['toRecipients', 'ccRecipients', 'bccRecipients'].flatMap((field) =>
    (message[field] ?? []).map((one: { emailAddress: { address: string } }) => one.emailAddress.address),
  );
};

test('without these settings every email is planned byte for byte as if there were none', async () => {
  const ways = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyMail(ID), fc.boolean(), async (input, isBoth) => {
      const read = tryToRead(input);
      if (read === undefined) return;
      const { text = 'a', ...html } = read;
      const one = isBoth ? { ...html, text } : html;
      const sender = { address: 'noreply@contoso.example' };
      const judged = { mail: one, sender, caller, handling: { kind: 'send' }, priority: 'normal' } as const;
      const plan = await planFor(needs, policyOf(NO_SAFETY), { mailId: ID, acceptedAt: NOW }, judged);
      ways.add(plan.kind);
      expect(plan).toEqual(await planSend(ID, sender, outgoing(one), needs.accept.plan, NOW));
    }),
    { numRuns: 100 },
  );
  expect(ways).toEqual(new Set(['json', 'mime']));
});

describe('MAIL_REDIRECT_TO', () => {
  test('sends to its address alone, for a caller who waits and for the queue alike', async () => {
    const judged = judgeMail(policyOf(REDIRECT), caller, 'http', mail);
    const waited = await planMail(needs, policyOf(REDIRECT), IDENTITY, ORIGIN, mail, judged);
    expect(waited).toEqual(await accept(mail, REDIRECT));
    expect(recipientsOf(waited)).toEqual([TESTER.address]);
  });

  test('changes nothing of what the ledger knows an email by: its hash, its sender and how many recipients it has', async () => {
    expect((await accept(mail, REDIRECT)).facts).toEqual((await accept(mail, NO_SAFETY)).facts);
  });

  test('does not change whom a caller may send to', async () => {
    const limited = aCaller('key:test', { recipients: ['*@contoso.example'] });
    expect(await accept(mail, REDIRECT, limited)).toMatchObject({
      refused: { code: 'RECIPIENT_NOT_ALLOWED' },
    });
  });

  test('counts what it adds: an email that fits without it only just is too large, and is told so when it is accepted', async () => {
    const text = 'a'.repeat(3_999_500);
    expect(await accept(aMail({ text }), NO_SAFETY)).not.toHaveProperty('refused');
    expect(await accept(aMail({ text }), REDIRECT)).toMatchObject({ refused: { code: 'MAIL_TOO_LARGE' } });
  });

  test('warns of no header that the caller did not write', async () => {
    const { plan } = (await accept(
      aMail({ html: '<p>a</p>', headers: { 'x-own': 'a' } }),
      REDIRECT,
    )) as AcceptableMail;
    expect(plan.warnings.map(({ pointer }) => pointer)).toEqual(['/headers/x-own']);
  });

  test('redirects what the relay itself sends as well', async () => {
    expect(recipientsOf(await accept(aMail(), REDIRECT, aCaller(RELAY)))).toEqual([TESTER.address]);
  });

  test('is told to the caller, also before anything is sent', async () => {
    const world = inMemoryPorts();
    const redirecting = { ...world.needs, accept: policyOf(REDIRECT) };
    const { row } = await sendMail(redirecting, { input: mail, caller, respondAsync: false });
    const queued = await sendMail(redirecting, { input: mail, caller, respondAsync: true });
    expect([toStatus(row), toStatus(queued.row)]).toMatchObject([
      { state: 'sent', redirected: true, recipients: 3 },
      { state: 'queued', redirected: true, recipients: 3 },
    ]);
    expect(eventOf(row)?.data).toMatchObject({ redirected: true });
    expect(await dryRunMail(redirecting, caller, { input: mail })).toMatchObject({
      redirected: true,
      recipients: 3,
    });
    const { row: usual } = await sendMail(world.needs, { input: mail, caller, respondAsync: false });
    for (const told of [
      toStatus(usual),
      eventOf(usual)?.data,
      await dryRunMail(world.needs, caller, { input: mail }),
    ])
      expect(told).not.toHaveProperty('redirected');
  });

  test('is told of the last attempt, by the settings of then', () => {
    const accepted = queueNew(aNewMail(NOW), NOW);
    expect(claim(accepted, NOW, 'json', { redirected: true }).progress).toMatchObject({ redirected: true });
    expect(
      claim(queueNew(aNewMail(NOW), NOW, { redirected: true }), NOW, 'json').progress,
    ).not.toHaveProperty('redirected');
  });
});

describe('MAIL_RECIPIENT_DOMAINS', () => {
  test('lets through what stays within it', async () => {
    const within = aMail({ to: 'A@Contoso.Example', bcc: 'tester@fabrikam.example' });
    expect(recipientsOf(await accept(within, WITHIN))).toEqual([
      'A@Contoso.Example',
      'tester@fabrikam.example',
    ]);
  });

  test('refuses the whole email of which one recipient lies outside, wherever it is named, and shows no address', () => {
    const outside = aMail({ cc: ['lee@contoso.example', 'a@to.example'], bcc: 'b@fabrikam.example' });
    const error = errorOf(() => judgeMail(policyOf(WITHIN), caller, 'http', outside));
    expect(error.code).toBe('RECIPIENT_OUTSIDE_DOMAINS');
    expect(error.facts.problems).toMatchObject([{ pointer: '/cc' }, { pointer: '/bcc' }]);
    expect(JSON.stringify(error.facts)).not.toContain('example');
  });

  test('judges a whole message by its header', async () => {
    const mime = Buffer.from('From: noreply@contoso.example\r\nTo: a@to.example\r\n\r\na\r\n').toString(
      'base64',
    );
    expect(await accept({ mime }, WITHIN)).toMatchObject({
      refused: { code: 'RECIPIENT_OUTSIDE_DOMAINS', facts: { problems: [{ pointer: '/mime' }] } },
    });
  });

  test('with MAIL_OTHER_RECIPIENTS=capture keeps such an email, and sends it to nobody', () => {
    const capturing: Safety = { ...WITHIN, otherRecipients: 'capture' };
    const handlingOf = (input: unknown) => judgeMail(policyOf(capturing), caller, 'http', input).handling;
    expect([handlingOf(mail), handlingOf(aMail())]).toEqual([{ kind: 'capture' }, { kind: 'send' }]);
  });

  test('does not count where every email is redirected, or none is sent', () => {
    const handlingOf = (safety: Safety) => judgeMail(policyOf(safety), caller, 'http', mail).handling.kind;
    expect([
      handlingOf({ ...WITHIN, redirectTo: TESTER }),
      handlingOf({ ...WITHIN, redirectTo: TESTER, capture: true }),
    ]).toEqual(['redirect', 'capture']);
  });
});
