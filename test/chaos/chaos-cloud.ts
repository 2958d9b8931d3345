import type { Directory } from '../../local/directory.ts';
import { cloudForTests } from '../support/cloud-for-tests.ts';
import { mailboxesFor } from './plan.ts';

/** How long a copy takes to Sent Items; well within MAIL_VERIFY_SECONDS below. */
const SENT_ITEMS_DELAY_MS = 1500;

/**
 * Short times, so that a run is short; in the order that the product relies on: a request ends before an attempt counts
 * as lost, and a copy shows before its absence counts.
 */
export const CHAOS_FUNCTION_TIMEOUT = '00:00:12';
export const CHAOS_SETTINGS: Readonly<Record<string, string>> = {
  GRAPH_TIMEOUT_SECONDS: '1',
  MAIL_SENDING_LIMIT_SECONDS: '13',
  MAIL_VERIFY_SECONDS: '5',
  MAIL_LARGE_ATTACHMENTS: 'true',
  MAIL_CONCURRENT_PER_MAILBOX: '100',
  MAIL_PER_MINUTE_PER_MAILBOX: '10000',
  FUNCTIONS_QUEUE_LEASE_SECONDS: '3',
};

/** Beside them, of each instance: they differ, as while a new value is rolled out. */
export const SETTINGS_OF_INSTANCE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  A: { MAIL_DELIVERY: 'exact' },
  B: { MAIL_DELIVERY: 'standard' },
};

const withChaosMailboxes =
  (mails: number) =>
  (usual: Directory): Directory => ({
    ...usual,
    apps: usual.apps.map((app) => ({ ...app, roles: ['Mail.Send', 'Mail.ReadWrite'] })),
    mailboxes: [
      ...usual.mailboxes,
      ...mailboxesFor(mails).map((address) => ({
        address,
        displayName: address,
        proxyAddresses: [],
        sendAs: [],
        licensed: true,
      })),
    ],
  });

/** Azurite on disk and all stand-ins, without the limits of Exchange: pacing has tests of its own. */
export const startChaosCloud = (mails: number) =>
  cloudForTests({
    directory: withChaosMailboxes(mails),
    limits: { on: false },
    sentItemsDelayMs: SENT_ITEMS_DELAY_MS,
  });
