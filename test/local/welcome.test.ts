import { expect, test } from 'vitest';
import { toWelcome, type Welcome, whatIsOn } from '../../local/welcome.ts';

const welcome = (more: Partial<Welcome>) =>
  toWelcome({
    functionsUrl: 'http://localhost:7071',
    functionKey: 'f',
    masterKey: 'm',
    inboxUrl: 'http://localhost:8025',
    connectionString: storageAt(10001),
    callersWithQueues: [],
    webhooks: [],
    folder: undefined,
    realTenant: false,
    safetyOn: [],
    captures: false,
    ...more,
  });
const storageAt = (port: number) =>
  `AccountName=a;AccountKey=k;BlobEndpoint=http://127.0.0.1:10000/a;QueueEndpoint=http://127.0.0.1:${port}/a`;

test('with the usual ports and folder the commands are short', () => {
  expect(welcome({})).toContain('\n    node docs/examples/queue-mail.mjs\n');
  expect(welcome({})).toMatch(/npm run mail -- list$/m);
});

test('the queues of callers are named, each with its command', () => {
  expect(welcome({})).not.toContain('queue of a caller');
  expect(welcome({ callersWithQueues: ['payroll', 'helpdesk'] })).toContain(
    'queue of a caller:\n\n    node docs/examples/queue-mail.mjs mail-payroll\n    node docs/examples/queue-mail.mjs mail-helpdesk\n',
  );
});

test('receivers of events are named with the secret by which they verify them', () => {
  expect(welcome({})).not.toContain('Webhooks');
  expect(welcome({ webhooks: [{ name: 'dev', secret: 'whsec_AAAA' }] })).toContain(
    'Webhooks verify with:\n\n    dev  whsec_AAAA\n',
  );
});

test('with others they name them, so that they work as they stand', () => {
  const text = welcome({ connectionString: storageAt(12345), folder: '/tmp/second' });
  expect(text).toContain(
    "AzureWebJobsStorage='AccountName=a;AccountKey=k;QueueEndpoint=http://127.0.0.1:12345/a' node docs/examples/queue-mail.mjs",
  );
  expect(text).toContain("npm run mail -- list --folder '/tmp/second'");
  expect(text).toContain("npm start -- --fresh --folder '/tmp/second'");
});

test('what keeps emails from their recipients is told where the inbox is', () => {
  expect(welcome({ safetyOn: ['MAIL_REDIRECT_TO'] })).toContain(
    'http://localhost:8025\n\n  MAIL_REDIRECT_TO is on. Every email goes to the address in this setting instead of its recipients.\n\n  Send an email:',
  );
  expect(welcome({})).toContain('http://localhost:8025\n\n  Send an email:');
});

test('where emails are captured, the inbox page of the relay and its key are named, and the local inbox is not the place to look', () => {
  const text = welcome({ safetyOn: ['MAIL_CAPTURE'], captures: true });
  expect(text).toMatch(
    /Captured {6}http:\/\/localhost:7071\/api\/inbox .*master key: m\)\n {2}Inbox .*only emails that are sent/,
  );
  expect(welcome({})).not.toContain('/api/inbox');
});

test('an empty inbox says what is on that can leave it empty, and where the emails are then', () => {
  const usual = { functionsUrl: 'http://localhost:7071', realTenant: false, safetyOn: [], captures: false };
  expect(whatIsOn(usual)).toEqual([]);
  expect(whatIsOn({ ...usual, safetyOn: ['MAIL_CAPTURE'], captures: true })).toEqual([
    'MAIL_CAPTURE is on. No email is sent: the relay keeps each of them for the inbox page.',
    'Emails that are captured appear at http://localhost:7071/api/inbox, with the master key.',
  ]);
  expect(whatIsOn({ ...usual, realTenant: true })).toEqual([
    'The relay sends real emails through your tenant. They do not appear here.',
  ]);
});
