import { describe, expect, test } from 'vitest';
import { isNamedSender } from '../../../src/lib/callers/caller-policy.ts';
import { toldAttempt, toldReason } from '../../../src/lib/callers/told-reason.ts';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { decideStage } from '../../../src/lib/sending/draft-stage.ts';
import { decideOutcome } from '../../../src/lib/sending/send-outcome.ts';
import { aCaller } from '../../support/a-caller.ts';

const NOW = new Date('2026-03-02T08:00:00Z');

describe('a caller that may use every address of a domain', () => {
  test.each([
    'MAILBOX_NOT_FOUND',
    'MAILBOX_OUT_OF_SCOPE',
    'MAILBOX_BLOCKED',
    'MAILBOX_FULL',
    'SEND_AS_DENIED',
    'DRAFTS_NOT_ALLOWED',
  ] as const)('hears %s as SENDER_NOT_USABLE, and nothing beside it', (code) => {
    const facts = { upstreamCode: 'ErrorInvalidUser', graphRequestId: 'an-id', detail: 'Details.' };
    expect(toldReason({ code, ...facts })).toEqual({ code: 'SENDER_NOT_USABLE' });
    const attempt = { at: NOW.toISOString(), outcome: 'rejected', code, ...facts } as const;
    expect(toldAttempt(attempt)).toEqual({
      at: NOW.toISOString(),
      outcome: 'rejected',
      code: 'SENDER_NOT_USABLE',
      detail: 'Details.',
    });
  });

  test('does not hear what Graph says in words of its own', () => {
    const reason = { code: 'GRAPH_REFUSED', upstreamCode: 'ErrorNonExistentMailbox' } as const;
    expect([toldReason(reason), toldAttempt(reason)]).toEqual([
      { code: 'GRAPH_REFUSED' },
      { code: 'GRAPH_REFUSED' },
    ]);
  });

  test('hears every other reason as it is', () => {
    const masked = new Set(['MAILBOX_NOT_FOUND', 'MAILBOX_OUT_OF_SCOPE', 'MAILBOX_BLOCKED', 'MAILBOX_FULL']);
    const others = (Object.keys(catalogue) as ErrorCode[]).filter(
      (code) =>
        !masked.has(code) && !['SEND_AS_DENIED', 'DRAFTS_NOT_ALLOWED', 'GRAPH_REFUSED'].includes(code),
    );
    for (const code of others) {
      const reason = { code, upstreamCode: 'ErrorSomething', detail: 'Details.' };
      expect(toldReason(reason)).toBe(reason);
      expect(toldAttempt(reason)).toBe(reason);
    }
  });

  /** What Graph and Exchange answer about a mailbox that is missing, that has no licence, and that the relay may not use. */
  const answers = [
    [404, 'ResourceNotFound'],
    [404, 'MailboxNotEnabledForRESTAPI'],
    [404, 'ErrorInvalidUser'],
    [404, 'Request_ResourceNotFound'],
    [404, 'ErrorNonExistentMailbox'],
    [403, 'ErrorAccessDenied'],
    [403, 'ErrorSendAsDenied'],
    [403, 'ErrorAccountSuspend'],
  ] as const;

  test('hears the same of a mailbox that is missing and of one that it may not use, as one request and as a draft', () => {
    const told = answers.flatMap(([status, upstreamCode]) => {
      const report = { kind: 'answered', status, upstreamCode } as const;
      return [decideOutcome(report, NOW), decideStage('create', report, NOW)].map((outcome) => {
        if (outcome === 'done' || outcome.kind !== 'rejected') throw new Error('expected a rejection');
        return toldReason(outcome);
      });
    });
    expect(new Set(told.map((reason) => JSON.stringify(reason)))).toEqual(
      new Set([JSON.stringify({ code: 'SENDER_NOT_USABLE' })]),
    );
  });
});

test.each(['MAILBOX_NOT_FOUND', 'GRAPH_REFUSED'])(
  'an attempt that ended with %s has neither the status nor the time of the answer',
  (code) => {
    const attempt = { at: 'then', outcome: 'rejected', code, upstreamCode: 'x', status: 404, tookMs: 12 };
    const told = code === 'GRAPH_REFUSED' ? code : 'SENDER_NOT_USABLE';
    expect(toldAttempt(attempt)).toEqual({ at: 'then', outcome: 'rejected', code: told });
  },
);

describe('the sender is named', () => {
  const settings = {
    defaultSender: { address: 'noreply@contoso.example' },
    allowedSenders: ['hr@contoso.example', '*@contoso.example'],
  };
  test.each<[string, readonly string[] | undefined, string, boolean]>([
    ['by the settings, for a caller without senders', undefined, 'HR@contoso.example', true],
    ['as the default of the settings', undefined, 'noreply@contoso.example', true],
    ['not by a pattern of the settings', undefined, 'other@contoso.example', false],
    ['by the rules of the caller', ['hr@contoso.example'], 'hr@contoso.example', true],
    [
      'not by a pattern of its rules, whatever the settings name',
      ['*@contoso.example'],
      'hr@contoso.example',
      false,
    ],
    [
      'by its rules beside a pattern',
      ['*@contoso.example', 'hr@contoso.example'],
      'hr@contoso.example',
      true,
    ],
  ])('%s', (_case, senders, address, expected) => {
    const caller = aCaller('payroll', senders === undefined ? {} : { senders });
    expect(isNamedSender(caller, settings, address)).toBe(expected);
  });

  test('by nothing where the settings cannot be read and the caller has no senders', () => {
    expect(isNamedSender(aCaller('payroll'), undefined, 'noreply@contoso.example')).toBe(false);
  });
});
