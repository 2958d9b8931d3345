import { safetyLines } from '../src/lib/settings/safety-settings.ts';
import { callerQueueOf } from '../src/lib/storage/storage-connection.ts';
import { DEFAULT_PORTS } from './ports.ts';

/** What `npm start` prints when the relay is ready, and what the inbox shows while it is empty. */
export type Welcome = {
  readonly functionsUrl: string;
  readonly functionKey: string;
  readonly masterKey: string;
  readonly inboxUrl: string;
  readonly connectionString: string;
  readonly callersWithQueues: readonly string[];
  /** Receivers of events, each with the secret by which it verifies them. */
  readonly webhooks: readonly { readonly name: string; readonly secret: string }[];
  /** Where it is not the usual one. */
  readonly folder: string | undefined;
  readonly realTenant: boolean;
  /** Settings that keep emails from their recipients. */
  readonly safetyOn: readonly string[];
  /** Some emails, or all of them, are kept for the inbox page of the relay. */
  readonly captures: boolean;
};

/** A request that works when pasted into a shell. */
export const toCurl = ({
  functionsUrl,
  functionKey,
}: Pick<Welcome, 'functionsUrl' | 'functionKey'>): string =>
  [
    `curl ${functionsUrl}/api/mail \\`,
    `  -H 'x-functions-key: ${functionKey}' -H 'content-type: application/json' \\`,
    `  -d '{"to":"Chan Tai Man <chan@example.com>","subject":"薪資單 2026-11","html":"<p>您的薪資單已備妥。</p>"}'`,
  ].join('\n');

/** The start screen. */
export const toWelcome = (welcome: Welcome): string =>
  `
  Graph Mail Relay is running.${welcome.realTenant ? ' It sends real emails through your tenant.' : ' No email leaves this machine.'}

  Endpoint      ${welcome.functionsUrl}/api/mail
  Function key  ${welcome.functionKey}   (master key, for list, replay and close: ${welcome.masterKey})
${toInboxes(welcome)}
${safetyLines(welcome.safetyOn)
  .map((line) => `\n  ${line}`)
  .join('')}${welcome.safetyOn.length === 0 ? '' : '\n'}
  Send an email:

${indent(toCurl(welcome))}

  Or put the same JSON on the queue "mail":

    ${toQueueCommand(welcome.connectionString)}
${toCallerQueues(welcome)}${toWebhooks(welcome)}
  List held emails:           npm run mail -- list${inFolder(welcome)}
  Start over:                 npm start -- --fresh${inFolder(welcome)}
  Send through a real tenant: npm start -- --real-tenant   (docs/local.md)
  Stop with Ctrl-C.
`;

/** What changes where emails go, for an inbox in which there is nothing: perhaps nothing will be. */
export const whatIsOn = ({
  functionsUrl,
  realTenant,
  safetyOn,
  captures,
}: Pick<Welcome, 'functionsUrl' | 'realTenant' | 'safetyOn' | 'captures'>): readonly string[] => [
  ...(realTenant ? ['The relay sends real emails through your tenant. They do not appear here.'] : []),
  ...safetyLines(safetyOn),
  ...(captures ? [`Emails that are captured appear at ${functionsUrl}/api/inbox, with the master key.`] : []),
];

/** Captured emails never reach the mailboxes that the local inbox shows. */
const toInboxes = ({ captures, functionsUrl, inboxUrl, masterKey }: Welcome): string =>
  captures
    ? `  Captured      ${functionsUrl}/api/inbox   (emails that are captured, with the master key: ${masterKey})
  Inbox         ${inboxUrl}   (only emails that are sent)`
    : `  Inbox         ${inboxUrl}`;

/** What only one caller may write into in Azure; here everything may. */
const toCallerQueues = ({ callersWithQueues, connectionString }: Welcome): string => {
  if (callersWithQueues.length === 0) return '';
  const command = toQueueCommand(connectionString);
  const commands = callersWithQueues.map((caller) => `    ${command} ${callerQueueOf(caller)}`);
  return `\n  Or on the queue of a caller:\n\n${commands.join('\n')}\n`;
};

/** A receiver that only listens on this machine verifies with a secret of this machine. */
const toWebhooks = ({ webhooks }: Welcome): string =>
  webhooks.length === 0
    ? ''
    : `\n  Webhooks verify with:\n\n${webhooks.map(({ name, secret }) => `    ${name}  ${secret}`).join('\n')}\n`;

/** The ports of the storage emulator need not be told. */
const toQueueCommand = (connectionString: string): string =>
  connectionString.includes(`QueueEndpoint=http://127.0.0.1:${DEFAULT_PORTS.QUEUE_PORT}/`)
    ? 'node docs/examples/queue-mail.mjs'
    : `AzureWebJobsStorage='${ofTheQueue(connectionString)}' node docs/examples/queue-mail.mjs`;

const ofTheQueue = (connectionString: string): string =>
  connectionString
    .split(';')
    .filter((part) => !/^(Blob|Table)Endpoint=/.test(part))
    .join(';');

const inFolder = ({ folder }: Welcome): string => (folder === undefined ? '' : ` --folder '${folder}'`);

const indent = (text: string): string => text.replaceAll(/^/gm, '    ');
