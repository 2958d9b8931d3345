import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallerRules } from '../../../src/lib/callers/caller.ts';
import {
  asMailOf,
  bytesOf,
  decideSender,
  defaultSenderOf,
  isNamedSender,
  maySendAs,
  requireDoor,
  requirePriority,
  requireRecipients,
  requireSize,
  withinCeiling,
} from '../../../src/lib/callers/caller-policy.ts';
import type { Priority } from '../../../src/lib/mail/priority.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const policy = {
  defaultSender: { name: 'Contoso', address: 'noreply@contoso.example' },
  allowedSenders: ['Payroll@contoso.example', 'book@contoso.example', '*@service.contoso.example'],
};

const addresses = fc.constantFrom(
  'noreply@contoso.example',
  'payroll@contoso.example',
  'PAYROLL@Contoso.Example',
  'ceo@contoso.example',
  'a@service.contoso.example',
  'b@service.contoso.example',
  'x@evil.example',
  'x@service.contoso.example.evil.example',
);
const patterns = fc.array(
  fc.oneof(addresses, fc.constantFrom('*@contoso.example', '*@service.contoso.example', '*@evil.example')),
  { maxLength: 4 },
);
const withSenders = (senders: readonly string[] | undefined, more: Partial<CallerRules> = {}) =>
  aCaller('payroll', { ...(senders === undefined ? {} : { senders }), ...more });

describe('the sender of a caller without rules', () => {
  test('is the default one when the mail names none', () => {
    expect(decideSender(aCaller(), policy, {})).toEqual(policy.defaultSender);
  });

  test.each([
    'payroll@contoso.example',
    'PAYROLL@CONTOSO.EXAMPLE',
    'noreply@contoso.example',
    'anything@service.contoso.example',
  ])('may be %s', (address) => {
    expect(decideSender(aCaller(), policy, { from: { address } })).toEqual({ address });
  });

  test.each([
    'hr@contoso.example',
    'x@evil.service.contoso.example',
    'x@service.contoso.example.evil.example',
    'payroll@contoso.example.evil.example',
    // The Kelvin sign and the long s are k and s to a comparison without regard to case.
    'x@\u017fervice.contoso.example',
    'boo\u212a@contoso.example',
  ])('may not be %s', (address) => {
    const error = errorOf(() => decideSender(aCaller(), policy, { from: { address } }));
    expect(error.code).toBe('SENDER_NOT_ALLOWED');
    expect(JSON.stringify(error.facts)).not.toContain(address);
  });
});

describe('the sender of a caller with rules', () => {
  test('is always one that both its rules and the settings allow, whatever the rules say', () => {
    fc.assert(
      fc.property(patterns, fc.option(addresses, { nil: undefined }), (senders, from) => {
        const caller = withSenders(senders);
        try {
          const { address } = decideSender(
            caller,
            policy,
            from === undefined ? {} : { from: { address: from } },
          );
          expect(maySendAs(caller, policy, address)).toBe(true);
          expect(maySendAs(aCaller(), policy, address)).toBe(true);
          if (from !== undefined) expect(address).toBe(from);
        } catch (error) {
          expect(error).toMatchObject({ code: 'SENDER_NOT_ALLOWED' });
          if (from !== undefined) expect(maySendAs(caller, policy, from)).toBe(false);
        }
      }),
    );
  });

  test('with fewer rules can never be more', () => {
    fc.assert(
      fc.property(patterns, patterns, addresses, (some, more, address) => {
        if (maySendAs(withSenders(some), policy, address))
          expect(maySendAs(withSenders([...some, ...more]), policy, address)).toBe(true);
      }),
    );
  });

  test.each<[string, Partial<CallerRules>, string | undefined]>([
    [
      'the one it has',
      { senders: ['*@service.contoso.example'], defaultSender: { address: 'a@service.contoso.example' } },
      'a@service.contoso.example',
    ],
    [
      'else its first address',
      { senders: ['*@service.contoso.example', 'payroll@contoso.example'] },
      'payroll@contoso.example',
    ],
    [
      'else that of the settings, where a pattern covers it',
      { senders: ['*@contoso.example'] },
      'noreply@contoso.example',
    ],
    ['else none', { senders: ['*@service.contoso.example'] }, undefined],
    ['that of the settings without rules', {}, 'noreply@contoso.example'],
  ])('by default is %s', (_case, rules, address) => {
    expect(defaultSenderOf(aCaller('payroll', rules), policy)?.address).toBe(address);
  });

  test.each<[string, Partial<CallerRules>, string | undefined]>([
    ['its first address', { senders: ['noreply@contoso.example'] }, 'Contoso'],
    ['its first address in another spelling', { senders: ['NoReply@Contoso.example'] }, 'Contoso'],
    ['the default of its rules', { defaultSender: { address: 'noreply@contoso.example' } }, 'Contoso'],
    [
      'the default of its rules, with a name of its own',
      { defaultSender: { name: 'Pay slips', address: 'noreply@contoso.example' } },
      'Pay slips',
    ],
    ['another address', { senders: ['payroll@contoso.example', 'noreply@contoso.example'] }, undefined],
  ])(
    'has the name of the default sender of the settings, if it is that address: %s',
    (_case, rules, name) => {
      expect(defaultSenderOf(aCaller('payroll', rules), policy)?.name).toBe(name);
    },
  );

  test('is asked for where there is no default', () => {
    const error = errorOf(() => decideSender(withSenders(['*@service.contoso.example']), policy, {}));
    expect(error.facts.problems?.[0]).toMatchObject({
      pointer: '/from',
      received: 'no sender, and the caller has no default',
    });
  });

  test('is refused in words that name the caller and no address', () => {
    const caller = withSenders(['payroll@contoso.example']);
    const error = errorOf(() => decideSender(caller, policy, { from: { address: 'book@contoso.example' } }));
    expect(error.facts.problems?.[0]?.expected).toContain('payroll');
    expect(JSON.stringify(error.facts)).not.toContain('@');
  });

  test.each<[string, readonly string[] | undefined, boolean]>([
    ['payroll@contoso.example', ['payroll@contoso.example'], true],
    ['payroll@contoso.example', ['*@contoso.example'], false],
    ['payroll@contoso.example', undefined, true],
    ['a@service.contoso.example', undefined, false],
    ['noreply@contoso.example', undefined, true],
  ])('%s is named by %o: %s', (address, senders, isNamed) => {
    expect(isNamedSender(withSenders(senders), policy, address)).toBe(isNamed);
  });
});

describe('the recipients of a caller', () => {
  const mailTo = (to: readonly string[], cc: readonly string[] = [], bcc: readonly string[] = []) =>
    readMail(aMail({ to, cc, bcc }));

  test('are everybody with *, and else those of its patterns, in every list alike', () => {
    fc.assert(
      fc.property(
        patterns,
        fc.array(addresses, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (recipients, to, all) => {
          const caller = aCaller('payroll', { recipients: all ? [...recipients, '*'] : recipients });
          for (const mail of [mailTo(to), mailTo(['noreply@contoso.example'], to), mailTo([], [], to)]) {
            const isAllowed = [...mail.to, ...mail.cc, ...mail.bcc].every(({ address }) =>
              caller.rules.recipients.some((one) => {
                const [pattern, written] = [one.toLowerCase(), address.toLowerCase()];
                return (
                  pattern === '*' ||
                  pattern === written ||
                  pattern === `*${written.slice(written.lastIndexOf('@'))}`
                );
              }),
            );
            if (isAllowed) expect(() => requireRecipients(caller, mail)).not.toThrow();
            else
              expect(() => requireRecipients(caller, mail)).toThrow(
                expect.objectContaining({ code: 'RECIPIENT_NOT_ALLOWED' }),
              );
          }
        },
      ),
    );
  });

  test('that are refused are told by list and number, and never by address', () => {
    const caller = aCaller('payroll', { recipients: ['*@contoso.example'] });
    const mail = mailTo(['a@contoso.example', 'x@evil.example'], ['y@evil.example', 'z@evil.example']);
    const { facts } = errorOf(() => requireRecipients(caller, mail));
    expect(facts.problems).toMatchObject([
      { pointer: '/to', received: 'another address as number 2' },
      { pointer: '/cc', received: '2 other addresses, the first as number 1' },
    ]);
    expect(JSON.stringify(facts)).not.toMatch(/@|evil/);
  });
});

describe('the priority of an email', () => {
  const ORDER = ['bulk', 'normal', 'high'] as const;

  test.each<[Priority | undefined, Priority | undefined, Priority | 'refused']>([
    [undefined, undefined, 'normal'],
    [undefined, 'high', 'high'],
    [undefined, 'bulk', 'bulk'],
    ['bulk', undefined, 'bulk'],
    ['bulk', 'bulk', 'bulk'],
    ['bulk', 'normal', 'refused'],
    ['bulk', 'high', 'refused'],
    ['normal', undefined, 'normal'],
    ['normal', 'bulk', 'bulk'],
    ['normal', 'high', 'refused'],
    ['high', undefined, 'high'],
    ['high', 'normal', 'normal'],
    ['high', 'bulk', 'bulk'],
  ])('of a caller with the rule %s, where the email says %s, is %s', (rule, said, priority) => {
    const caller = aCaller('payroll', rule === undefined ? {} : { priority: rule });
    const mail = readMail(aMail({ priority: said }));
    if (priority === 'refused')
      expect(errorOf(() => requirePriority(caller, mail)).code).toBe('PRIORITY_NOT_ALLOWED');
    else expect(() => requirePriority(caller, mail)).not.toThrow();
    if (priority !== 'refused') expect(asMailOf(caller, mail).priority).toBe(priority);
  });

  test('that is refused is told with those that the caller can have', () => {
    const { facts } = errorOf(() =>
      requirePriority(aCaller('payroll', { priority: 'normal' }), readMail(aMail({ priority: 'high' }))),
    );
    expect(facts.problems).toEqual([
      {
        code: 'PRIORITY_NOT_ALLOWED',
        pointer: '/priority',
        expected:
          '"normal" or "bulk", or no priority: the caller payroll has no higher one (GET /api/v1/caller lists them)',
        received: '"high"',
      },
    ]);
  });

  test('never goes above the rule of its caller, and never higher than it was', () => {
    for (const rule of ORDER)
      for (const accepted of ORDER) {
        const goes = ORDER.indexOf(withinCeiling(aCaller('payroll', { priority: rule }), accepted));
        expect(goes).toBe(Math.min(ORDER.indexOf(rule), ORDER.indexOf(accepted)));
      }
  });
});

describe('the size of an email', () => {
  test('is that of text and files before any encoding', () => {
    const mail = outgoing(
      readMail(aMail({ text: 'é', attachments: [{ filename: 'a.bin', content: base64Of(1000) }] })),
    );
    expect(bytesOf(mail)).toBe(1002);
    expect(() => requireSize(aCaller('payroll', { maxMailBytes: 1002 }), mail)).not.toThrow();
    expect(() => requireSize(aCaller('payroll', { maxMailBytes: 1001 }), mail)).toThrow(
      expect.objectContaining({ code: 'MAIL_TOO_LARGE_FOR_CALLER' }),
    );
  });
});

describe('the door', () => {
  test.each<[Partial<CallerRules>, 'http' | 'queue', string | undefined]>([
    [{}, 'http', undefined],
    [{}, 'queue', undefined],
    [{ doors: ['http'] }, 'queue', 'DOOR_NOT_ALLOWED'],
    [{ doors: [] }, 'http', 'DOOR_NOT_ALLOWED'],
    [{ isDisabled: true }, 'http', 'CALLER_DISABLED'],
    [{ isDisabled: true, doors: [] }, 'queue', 'CALLER_DISABLED'],
  ])('of %o by %s: %s', (rules, door, code) => {
    const pass = () => requireDoor(aCaller('payroll', rules), door);
    if (code === undefined) expect(pass).not.toThrow();
    else expect(errorOf(pass).code).toBe(code);
  });
});

describe('an email of a caller', () => {
  test('has its tags beside its own, each once', () => {
    const mail = readMail(aMail({ tags: ['pay-slip', 'hr'] }));
    expect(asMailOf(aCaller('payroll', { tags: ['hr', 'payroll'] }), mail).tags).toEqual([
      'pay-slip',
      'hr',
      'payroll',
    ]);
  });

  test.each([
    ['hold', 'verify', 'hold'],
    [undefined, 'resend', 'resend'],
    [undefined, undefined, undefined],
  ] as const)('that says onUnknown %s, of a caller that says %s, is %s', (own, its, result) => {
    const mail = readMail(aMail(own === undefined ? {} : { onUnknown: own }));
    const rules = its === undefined ? {} : { onUnknown: its };
    expect(asMailOf(aCaller('payroll', rules), mail).onUnknown).toBe(result);
  });
});
