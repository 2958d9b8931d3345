import { describe, expect, test } from 'vitest';
import {
  type FaultedCall,
  type FaultRuleInput,
  faultRuleSchema,
  type InstalledFault,
  takeFault,
} from '../../../local/graph/fault-rules.ts';

const answer = (status: number) => ({ kind: 'answer' as const, status });
const sendMail = (mailbox = 'a@contoso.example'): FaultedCall => ({ on: 'sendMail', mailbox });

const installed = (...rules: FaultRuleInput[]): readonly InstalledFault[] =>
  rules.map((rule, index) => ({ id: index + 1, rule: faultRuleSchema.parse(rule), passed: 0, fired: 0 }));

/** The ids of the rules that take these calls, in turn. */
function takenBy(rules: readonly InstalledFault[], calls: readonly FaultedCall[]): (number | undefined)[] {
  let faults = rules;
  return calls.map((call) => {
    const result = takeFault(faults, call);
    faults = result.faults;
    return result.taken?.id;
  });
}

describe('a fault rule', () => {
  test('takes one call unless it says how many', () => {
    const rules = installed({ on: 'sendMail', fault: answer(503) });
    expect(takenBy(rules, [sendMail(), sendMail()])).toEqual([1, undefined]);
  });

  test('lets calls pass first, then takes as many as it says', () => {
    const rules = installed({ on: 'sendMail', after: 2, times: 2, fault: answer(503) });
    const calls = Array.from({ length: 6 }, () => sendMail());
    expect(takenBy(rules, calls)).toEqual([undefined, undefined, 1, 1, undefined, undefined]);
  });

  test('counts the calls of its mailbox only, in any case', () => {
    const rules = installed({ on: 'sendMail', mailbox: 'B@contoso.example', after: 1, fault: answer(503) });
    const [a, b] = [sendMail(), sendMail('b@Contoso.example')];
    expect(takenBy(rules, [a, b, a, b])).toEqual([undefined, undefined, undefined, 1]);
  });

  test('takes the calls it is for and no others', () => {
    const rules = installed(
      { on: 'listMessages', fault: answer(503) },
      { on: 'connect', fault: { kind: 'reset' } },
    );
    const list: FaultedCall = { on: 'listMessages', mailbox: 'a@contoso.example' };
    expect(takenBy(rules, [sendMail(), { on: 'connect' }, list])).toEqual([undefined, 2, 1]);
  });

  test('stands behind the rules before it, and sees what these let pass', () => {
    const rules = installed(
      { on: 'sendMail', after: 1, fault: answer(503) },
      { on: 'sendMail', times: 2, fault: answer(504) },
    );
    expect(takenBy(rules, [sendMail(), sendMail(), sendMail(), sendMail()])).toEqual([2, 1, 2, undefined]);
  });
});

describe('a fault rule is refused', () => {
  const refused: [what: string, rule: unknown, at: string, says: RegExp][] = [
    ['that is none', 'reset', '', /sendMail, createDraft, .*uploadRange, sendDraft, .* or connect/],
    [
      'for an unknown call',
      { on: 'login', fault: answer(500) },
      'on',
      /sendMail, createDraft, .*uploadRange, sendDraft, .* or connect/,
    ],
    ['without a fault', { on: 'sendMail' }, 'fault', /answer, reset, delay or notFound/],
    [
      'with an unknown fault',
      { on: 'sendMail', fault: { kind: 'explode' } },
      'fault.kind',
      /answer, reset, delay or notFound/,
    ],
    ['with an unknown word', { on: 'sendMail', fault: answer(500), time: 2 }, '', /"time"/],
    ['that never fires', { on: 'sendMail', times: 0, fault: answer(500) }, 'times', />=1/],
    ['with a status that is none', { on: 'sendMail', fault: answer(99) }, 'fault.status', />=200/],
    [
      'with a line end in Retry-After',
      { on: 'sendMail', fault: { ...answer(429), retryAfter: '1\r\nx: y' } },
      'fault.retryAfter',
      /printable ASCII/,
    ],
    [
      'with a number as Retry-After',
      { on: 'sendMail', fault: { ...answer(429), retryAfter: 1 } },
      'fault.retryAfter',
      /string/,
    ],
    [
      'with both body and code',
      { on: 'sendMail', fault: { ...answer(500), body: 'x', code: 'y' } },
      'fault.body',
      /not both/,
    ],
    [
      'with a type of no body',
      { on: 'sendMail', fault: { ...answer(500), contentType: 'a/b' } },
      'fault.contentType',
      /'body'/,
    ],
    [
      'with a body under 204',
      { on: 'sendMail', fault: { ...answer(204), body: 'x' } },
      'fault.body',
      /forbids/,
    ],
    ['with a reset at no time', { on: 'sendMail', fault: { kind: 'reset' } }, 'fault.when', /before/],
    [
      'with a delay after a delay',
      { on: 'sendMail', fault: { kind: 'delay', ms: 1, afterwards: { kind: 'delay', ms: 1 } } },
      'fault.afterwards.kind',
      /answer or reset/,
    ],
    [
      'with an endless delay',
      { on: 'sendMail', fault: { kind: 'delay', ms: 600_001 } },
      'fault.ms',
      /600000/,
    ],
    [
      'for the connections of a mailbox',
      { on: 'connect', mailbox: 'a@b.example', fault: { kind: 'reset' } },
      '',
      /"mailbox"/,
    ],
  ];
  test.each(refused)('%s', (_what, rule, at, says) => {
    const [issue] = faultRuleSchema.safeParse(rule).error?.issues ?? [];
    expect(issue?.path.join('.')).toBe(at);
    expect(issue?.message).toMatch(says);
  });
});
