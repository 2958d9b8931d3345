import { describe, expect, test } from 'vitest';
import { type RelayAnswer, readBody } from '../../../clients/smtp-door/src/relay/answer.ts';
import { oneLine } from '../../../clients/smtp-door/src/relay/one-line.ts';
import { readOutcome } from '../../../clients/smtp-door/src/relay/outcome.ts';
import { Pauses } from '../../../clients/smtp-door/src/relay/pauses.ts';
import { catalogue } from '../../../src/lib/error-catalogue.ts';

const problem = (
  code: keyof typeof catalogue | 'NEW_CODE',
  status: number,
  more: object = {},
): RelayAnswer => ({
  kind: 'response',
  status,
  retryAfterMs: undefined,
  body: readBody(
    'application/problem+json; charset=utf-8',
    JSON.stringify({ code, title: 'What is wrong', remedy: 'What to do now.', status, ...more }),
  ),
});

const foreign = (status: number): RelayAnswer => ({
  kind: 'response',
  status,
  retryAfterMs: undefined,
  body: readBody('text/html', '<html>A page</html>'),
});

const mail = (status: number, state: string): RelayAnswer => ({
  kind: 'response',
  status,
  retryAfterMs: undefined,
  body: readBody('application/json', JSON.stringify({ id: 'mail-1', state })),
});

describe('what the relay has is accepted', () => {
  test.each([
    [200, 'sent'],
    [200, 'captured'],
    [202, 'queued'],
    // The relay looks into it; a second email would be worse.
    [202, 'unknown'],
    [202, 'held'],
  ])('%i %s', (status, state) => {
    expect(readOutcome(mail(status, state))).toEqual({ kind: 'accepted', id: 'mail-1', state });
  });
});

test('the text names the ID of the email at the relay, also in the command that asks for it', () => {
  const id = '01a2055c-e268-762b-8556-1836e3fff5b7';
  const remedy = 'Run `npm run mail -- show <id>`.';
  const textOf = (more: object) =>
    (readOutcome(problem('SENDER_NOT_USABLE', 403, more)) as { text: string }).text;
  expect(textOf({ id, remedy })).toBe(
    `SENDER_NOT_USABLE: What is wrong. The ID of the email is ${id}. Run \`npm run mail -- show ${id}\`.`,
  );
  expect(textOf({ id: '<script>', remedy })).toBe(`SENDER_NOT_USABLE: What is wrong. ${remedy}`);
});

describe('a problem of this email or of its sender is refused, with the code that fits', () => {
  test.each([
    ['ADDRESS_INVALID', 400, '553', '5.1.3'],
    ['RECIPIENTS_TOO_MANY', 400, '554', '5.5.3'],
    ['SENDER_NOT_ALLOWED', 403, '550', '5.7.1'],
    ['SENDER_NOT_USABLE', 403, '550', '5.1.8'],
    ['RECIPIENT_NOT_ALLOWED', 403, '550', '5.7.1'],
    ['MAIL_TOO_LARGE', 413, '552', '5.3.4'],
    ['MAIL_TOO_LARGE_FOR_CALLER', 413, '552', '5.3.4'],
    ['MIME_INVALID', 400, '554', '5.6.0'],
    ['IDEMPOTENCY_KEY_REUSED', 422, '554', '5.5.0'],
    ['MAIL_CANCELED', 410, '554', '5.7.0'],
    ['GRAPH_REFUSED', 502, '554', '5.6.0'],
    ['DRAFTS_NOT_ALLOWED', 502, '554', '5.3.5'],
    ['MAILBOX_OUT_OF_SCOPE', 502, '550', '5.7.1'],
    ['MAILBOX_FULL', 502, '554', '5.2.2'],
    ['NEW_CODE', 400, '554', '5.6.0'],
  ] as const)('%s', (reason, status, code, enhanced) => {
    expect(readOutcome(problem(reason, status))).toEqual({
      kind: 'refused',
      reason,
      code,
      enhanced,
      text: `${reason}: What is wrong. What to do now.`,
    });
  });

  test('each code of the relay that asks its caller for a change is refused or repeated, and never accepted', () => {
    for (const [code, { status, fixedBy }] of Object.entries(catalogue)) {
      if (status < 400) continue;
      const outcome = readOutcome(problem(code as keyof typeof catalogue, status));
      expect(outcome.kind, code).not.toBe('accepted');
      if (fixedBy === 'time') expect(outcome.kind, code).toBe('later');
      if (outcome.kind === 'later') expect([outcome.code, outcome.enhanced[0]], code).toEqual(['451', '4']);
    }
  });
});

describe('what can pass is for later, and pauses no more than it concerns', () => {
  test.each([
    ['MAIL_UNDER_WAY', 409, ['email'], '4.5.0'],
    ['CALLER_LIMIT_REACHED', 429, ['account'], '4.7.1'],
    ['MAIL_DISABLED', 503, ['account'], '4.3.0'],
    ['MIME_INCOMPLETE', 400, ['email'], '4.4.2'],
    ['REQUEST_TOO_SLOW', 408, ['email'], '4.4.2'],
    ['OUTCOME_UNKNOWN', 502, ['email'], '4.3.0'],
    ['RELAY_BUSY', 503, ['email'], '4.3.0'],
    ['CLIENT_SECRET_EXPIRED', 502, ['account', 'email'], '4.3.0'],
    ['UNEXPECTED', 500, ['account', 'email'], '4.3.0'],
  ] as const)('%s', (reason, status, pauses, enhanced) => {
    expect(readOutcome(problem(reason, status))).toMatchObject({
      kind: 'later',
      reason,
      pauses,
      enhanced,
      isOwnFault: false,
    });
  });

  test.each([500, 502, 503, 504, 408, 429])('%i that the relay did not write', (status) => {
    expect(readOutcome(foreign(status))).toMatchObject({
      kind: 'later',
      pauses: ['relay', 'email'],
      code: '451',
    });
  });

  test('a connection that was not made says nothing of the email', () => {
    expect(readOutcome({ kind: 'none', why: 'network', cause: 'ECONNREFUSED' })).toMatchObject({
      kind: 'later',
      pauses: ['relay'],
      enhanced: '4.4.1',
    });
  });

  test.each([
    ['timeout', 'TIMEOUT', '4.4.7'],
    ['network', 'ECONNRESET', '4.4.1'],
  ] as const)('a %s may have the email as its reason', (why, cause, enhanced) => {
    expect(readOutcome({ kind: 'none', why, cause })).toMatchObject({
      kind: 'later',
      pauses: ['relay', 'email'],
      enhanced,
    });
  });
});

describe('the relay may have accepted what is for later', () => {
  const none = (why: 'timeout' | 'network', cause: string): RelayAnswer => ({ kind: 'none', why, cause });

  test.each<[string, RelayAnswer, boolean]>([
    ['after a timeout', none('timeout', 'TIMEOUT'), true],
    ['after a connection that broke', none('network', 'UND_ERR_SOCKET'), true],
    ['not without a connection', none('network', 'ECONNREFUSED'), false],
    ['if its own error says that it does not know', problem('OUTCOME_UNKNOWN', 502), true],
    ['while an earlier request with the same key is in progress', problem('MAIL_UNDER_WAY', 409), true],
    ['not above a limit', problem('CALLER_LIMIT_REACHED', 429), false],
    ['not with a key that it does not know', problem('CALLER_UNKNOWN', 401), false],
    ['not with a request that broke off', problem('MIME_INCOMPLETE', 400), false],
    ['behind an error of the platform', foreign(502), true],
    ['not above a limit of the platform', foreign(429), false],
    ['behind a page of a proxy', foreign(200), true],
    ['not behind a wrong function key', foreign(401), false],
  ])('%s', (_, answer, isUncertain) => {
    expect(readOutcome(answer)).toMatchObject({ kind: 'later', isUncertain });
  });
});

describe('a key or an address of the relay that is wrong is the fault of the door, never of a client', () => {
  test.each([
    ['CALLER_UNKNOWN', 401],
    ['KEY_NOT_ACCEPTED', 401],
    ['CREDENTIALS_AMBIGUOUS', 401],
    ['CALLER_DISABLED', 403],
    ['DOOR_NOT_ALLOWED', 403],
    ['NEW_CODE', 401],
  ] as const)('%s', (reason, status) => {
    expect(readOutcome(problem(reason, status))).toMatchObject({
      kind: 'later',
      isOwnFault: true,
      code: '451',
      enhanced: '4.3.5',
    });
  });

  test.each([
    ['the platform, of a wrong function key', foreign(401)],
    ['an access restriction', foreign(403)],
    ['another site', foreign(404)],
    ['a redirect', foreign(302)],
    // A sign-in page of a network, or an address that is not the one of the relay.
    ['a page with status 200', foreign(200)],
    ['a page with status 202', foreign(202)],
  ])('%s', (_, answer) => {
    expect(readOutcome(answer)).toMatchObject({ kind: 'later', isOwnFault: true, enhanced: '4.3.5' });
  });

  test('a function key concerns all emails of the account; what a gateway blocks can be one email', () => {
    expect(readOutcome(foreign(401))).toMatchObject({ pauses: ['account'] });
    for (const status of [200, 302, 400, 403, 404, 413, 415, 422])
      expect(readOutcome(foreign(status)), String(status)).toMatchObject({ pauses: ['email'] });
  });
});

describe('the text of a reply', () => {
  test('says what was expected of the first field that is wrong', () => {
    const problems = [{ code: 'ADDRESS_INVALID', pointer: '/to/0', expected: 'name@example.com' }];
    const { text } = readOutcome(problem('ADDRESS_INVALID', 400, { problems })) as { text: string };
    expect(text).toBe('ADDRESS_INVALID: What is wrong: expected name@example.com. What to do now.');
  });

  test.each([
    ['addresses', 'to <chan@contoso.example>. Bcc:x@a.example.', 'to <(address)>. Bcc:(address).'],
    [
      'more than forms',
      'all of *@contoso.example, name@example.com',
      'all of *@contoso.example, name@example.com',
    ],
    ['keys', 'key gmr_abc_def was', 'key (key) was'],
    ['line breaks', 'one\r\n250 Ok\ttwo', 'one 250 Ok two'],
    ['other scripts', 'Zürich 香港 ok', 'Zurich ok'],
  ])('has no %s', (_, received, expected) => {
    expect(oneLine(received)).toBe(expected);
  });

  test('fits a line of SMTP', () => {
    expect(oneLine('word '.repeat(1000)).length).toBeLessThanOrEqual(400);
  });
});

describe('pauses', () => {
  let time = 0;
  const make = (): Pauses => {
    time = 1_000_000;
    return new Pauses(() => new Date(time));
  };
  const later = (answer: RelayAnswer) =>
    readOutcome(answer) as Extract<ReturnType<typeof readOutcome>, { kind: 'later' }>;

  test('double with each failure up to five minutes, and not with those at the same time, and end with the first answer', () => {
    const pauses = make();
    const seconds = [1, 2, 3, 4, 5, 6, 7, 8].map(() => {
      pauses.failed('erp', later(foreign(502)));
      const pause = pauses.until('erp') - time;
      pauses.failed('erp', later(foreign(502)));
      time += pause;
      return pause / 1000;
    });
    expect(seconds).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
    pauses.answered('erp');
    expect(pauses.of('erp')).toBeUndefined();
    expect(pauses.isDoubtful('erp')).toBe(false);
  });

  test('are as long as Retry-After says', () => {
    const pauses = make();
    pauses.failed(
      'erp',
      later({ ...problem('CALLER_LIMIT_REACHED', 429), retryAfterMs: 90_000 } as RelayAnswer),
    );
    time += 89_999;
    expect(pauses.of('erp')?.reason).toBe('CALLER_LIMIT_REACHED');
    time += 1;
    expect(pauses.of('erp')).toBeUndefined();
  });

  test.each([
    [0, 1_000],
    [10 ** 12, 24 * 3_600_000],
  ])('with a Retry-After of %i ms are neither a loop nor for ever', (waitMs, pause) => {
    const pauses = make();
    pauses.failed('erp', later({ ...foreign(503), retryAfterMs: waitMs } as RelayAnswer));
    expect(pauses.until('erp') - time).toBe(pause);
  });

  test('of an account leave the others alone, and those of the relay are for all', () => {
    const pauses = make();
    pauses.failed('erp', later(problem('KEY_NOT_ACCEPTED', 401)));
    expect([pauses.of('erp')?.enhanced, pauses.of('scanner')]).toEqual(['4.3.5', undefined]);
    pauses.failed('erp', later({ kind: 'none', why: 'network', cause: 'ECONNREFUSED' }));
    expect(pauses.of('scanner')?.enhanced).toBe('4.4.1');
  });
});
