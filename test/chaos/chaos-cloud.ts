import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Directory } from '../../local/directory.ts';
import { cloudForTests, makeAppFolder } from '../support/cloud-for-tests.ts';
import { TWO_WAYS } from './declared-callers.ts';
import { mailboxesFor } from './plan.ts';
import { FUNCTION_TIMEOUT, HASTY, TIMES } from './scaled-times.ts';

/** How long a copy takes to Sent Items; well within MAIL_VERIFY_SECONDS, also by clocks that differ. */
const SENT_ITEMS_DELAY_MS = 1500;

const CHAOS_SETTINGS: Readonly<Record<string, string>> = {
  GRAPH_TIMEOUT_SECONDS: String(TIMES.graphTimeout.run),
  MAIL_SENDING_LIMIT_SECONDS: String(TIMES.sendingLimit.run),
  MAIL_VERIFY_SECONDS: String(TIMES.verify.run),
  MAIL_LARGE_ATTACHMENTS: 'true',
  MAIL_CALLER_QUEUES: TWO_WAYS,
  FUNCTIONS_QUEUE_LEASE_SECONDS: String(TIMES.lease.run),
};

/** The second instance, as there is one in every run. */
const HASTY_INSTANCE = 1;

/** What differs between instances, as while a new value is rolled out: how an email goes, and one that is hasty. */
export const instanceOptions = (
  instance: number,
  apps: { readonly usual: string; readonly hasty: string },
) => {
  const isHasty = instance === HASTY_INSTANCE;
  return {
    name: String.fromCharCode('A'.charCodeAt(0) + instance),
    appFolder: isHasty ? apps.hasty : apps.usual,
    functionTimeoutMs: isHasty ? HASTY.ofHostMs : TIMES.functionTimeout.run * 1000,
    settings: {
      ...CHAOS_SETTINGS,
      MAIL_DELIVERY: instance % 2 === 0 ? 'exact' : 'standard',
      ...(isHasty ? HASTY.settings : {}),
    },
  };
};

/** The relay as it is deployed, and once more with a host that ends functions sooner than the relay knows. */
export const makeApps = async (folder: string) => {
  const usual = await makeAppFolder(folder, { functionTimeout: FUNCTION_TIMEOUT });
  const hasty = await makeAppFolder(join(folder, 'hasty'), { functionTimeout: HASTY.functionTimeout });
  const hostJson = join(hasty, 'host.json');
  const json = JSON.parse(await readFile(hostJson, 'utf8')) as object;
  await writeFile(hostJson, JSON.stringify({ ...json, functionTimeout: HASTY.ofHost }));
  return { usual, hasty };
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

/** Azurite on disk and all stand-ins, with the limits of Exchange for each mailbox. */
export const startChaosCloud = (mails: number) =>
  cloudForTests({
    directory: withChaosMailboxes(mails),
    callersWithQueues: [TWO_WAYS],
    sentItemsDelayMs: SENT_ITEMS_DELAY_MS,
  });
