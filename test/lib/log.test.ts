import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../src/lib/error-catalogue.ts';
import { AppError } from '../../src/lib/errors.ts';
import { type EventLevel, type LogEvent, levelOf, storageFailed, unexpected } from '../../src/lib/log.ts';
import { openSdkNetwork } from '../../src/lib/network/agents.ts';

/** As alert rules watch them; `by code` is an error where an administrator must correct something. */
const LEVELS: Readonly<Record<LogEvent['event'], EventLevel | 'by code'>> = {
  MailAccepted: 'counted',
  GraphAnswered: 'counted',
  Metrics: 'info',
  MailSent: 'info',
  MailQueued: 'by code',
  MailPaced: 'info',
  MailScheduled: 'info',
  MailRescheduled: 'info',
  MailLimited: 'info',
  CallerLimitReached: 'warn',
  MailRejected: 'by code',
  MailUnknown: 'warn',
  MailLookedUp: 'info',
  MailTraced: 'info',
  MailHeld: 'error',
  MailReplayed: 'info',
  MailContentShown: 'info',
  MailClosed: 'info',
  MailForgotten: 'info',
  MailCanceled: 'info',
  MailCaptured: 'info',
  MailRepeated: 'info',
  MailOverdue: 'warn',
  MailSwept: 'info',
  MailBounced: 'info',
  MailReported: 'info',
  RedirectReported: 'info',
  BouncesPolled: 'info',
  BouncePollFailed: 'warn',
  EventUntold: 'error',
  EventLost: 'error',
  DraftLeft: 'warn',
  SweepFailed: 'error',
  CallerUnreadable: 'error',
  CallerChanged: 'info',
  LedgerBehind: 'warn',
  StorageAwaited: 'by code',
  PacingAlone: 'warn',
  ExternalRecipientsNear: 'warn',
  MessagesStuck: 'error',
  QueueMissing: 'error',
  SendBlocked: 'by code',
  RequestRefused: 'by code',
  SecretExpiring: 'error',
  WarningNotDelivered: 'error',
  WarningChannelFailed: 'error',
  SecretsChecked: 'info',
  NewestRefused: 'warn',
  SecretsUnchecked: 'error',
  VaultEventDropped: 'warn',
  WebhookSent: 'info',
  WebhookFailed: 'warn',
  WebhookGivenUp: 'error',
  WebhookMessageDropped: 'error',
  RotationStep: 'info',
  RotationRefused: 'by code',
  SecretLeft: 'warn',
  SecretsRotated: 'info',
  SettingsInvalid: 'error',
  SettingsUnknown: 'warn',
  SafetyOn: 'warn',
  StorageFailed: 'warn',
  Unexpected: 'error',
};

const names = Object.keys(LEVELS) as LogEvent['event'][];
const CODES = Object.keys(catalogue) as ErrorCode[];
/** An event as far as its level depends on it. */
const eventOf = (event: LogEvent['event'], code?: ErrorCode) =>
  ({ event, ...(code === undefined ? {} : { code }) }) as LogEvent;

describe('the level of an event', () => {
  test.each(names.filter((name) => LEVELS[name] !== 'by code').map((name) => [name, LEVELS[name]] as const))(
    '%s: %s, whatever its code',
    (name, level) => {
      for (const code of [undefined, ...CODES]) expect(levelOf(eventOf(name, code)), code).toBe(level);
    },
  );

  test.each(names.filter((name) => LEVELS[name] === 'by code'))(
    '%s is an error for what an administrator must correct, and no matter for an operator otherwise',
    (name) => {
      for (const code of CODES)
        expect(levelOf(eventOf(name, code)), code).toBe(
          catalogue[code].fixedBy === 'administrator' ? 'error' : 'info',
        );
      expect(levelOf(eventOf(name))).toBe('info');
    },
  );
});

describe('a thrown value that nobody foresaw', () => {
  test('is logged with its kind and where it was thrown, never with its message, whatever that looks like', () => {
    const event = unexpected(new RangeError('canary@contoso.example\n    at canary'));
    expect(event).toMatchObject({ event: 'Unexpected', name: 'RangeError' });
    expect(JSON.stringify(event)).toContain('log.test.ts');
    expect(JSON.stringify(event)).not.toContain('canary');
  });

  test('has twelve lines of stack at most', () => {
    const deep = (levels: number): Error => (levels === 0 ? new Error('x') : deep(levels - 1));
    const event = unexpected(deep(30));
    expect(event.event === 'Unexpected' && event.stack.split('\n').length).toBeLessThanOrEqual(12);
  });

  test.each(['canary', undefined, null, { message: 'canary' }])(
    'that is no error says nothing of itself: %s',
    (thrown) => {
      const event = unexpected(thrown);
      expect(event).toMatchObject({ event: 'Unexpected', name: 'Error' });
      expect(JSON.stringify(event)).not.toContain('canary');
    },
  );
});

test('a failure of storage says which host was asked, whether by the proxy, and what failed, and no more', () => {
  const { optionsFor } = openSdkNetwork({ HTTPS_PROXY: 'http://user:canary@127.0.0.1:1' });
  const url = 'https://stmail.table.core.windows.net/mailledger?sig=canary';
  const cause = Object.assign(new Error('canary'), {
    code: 'ECONNREFUSED',
    request: { url, ...optionsFor(url) },
  });
  const event = storageFailed(new AppError('STORAGE_UNAVAILABLE', { cause }));
  expect(event).toMatchObject({
    code: 'ECONNREFUSED',
    host: 'stmail.table.core.windows.net',
    throughProxy: true,
  });
  expect(JSON.stringify(event)).not.toContain('canary');
});
