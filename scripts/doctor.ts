import { parseArgs } from 'node:util';
import { findRelay } from '../local/find-relay.ts';
import { toDoctorText } from '../src/lib/desk/doctor-text.ts';
import type { DoctorReport } from '../src/lib/desk/run-doctor.ts';
import type { TestMailReport } from '../src/lib/desk/send-test-mail.ts';
import { callRelay, RELAY_OPTIONS, RELAY_USAGE, readOrRefuse, runCommand, UsageError } from './relay-call.ts';
import { toTestMailText } from './test-mail-page.ts';

/** The doctor as a command, for the relay of `npm start` or a deployed app. */
const usage = `Usage: npm run doctor -- [--json]
       npm run doctor -- --send-to ADDRESS [--from ADDRESS] [--json]

Checks the whole relay in at most 10 seconds: settings, credential, permissions, mailboxes, storage, queues and what runs by
itself. It says what it saw and what to do, the worst first. It sends nothing and changes nothing.

  --send-to ADDRESS  Instead sends a real test email to this address, and shows each step of it.
  --from ADDRESS     Sender of the test email. Default: MAIL_DEFAULT_SENDER.
${RELAY_USAGE}

Exit status: 0 if nothing failed (warnings included), 1 if something failed, 2 for wrong usage.`;

const readArguments = () =>
  readOrRefuse(
    () =>
      parseArgs({
        options: { ...RELAY_OPTIONS, 'send-to': { type: 'string' }, from: { type: 'string' } },
      }).values,
  );

const main = async (): Promise<void> => {
  const { 'send-to': to, from, json, help, url, folder } = readArguments();
  if (help) return console.log(usage);
  if (from !== undefined && to === undefined)
    throw new UsageError('--from: expected also --send-to ADDRESS, as only a test email has a sender.');
  if (to?.trim() === '') throw new UsageError('--send-to: expected an address, received nothing.');
  const relay = await findRelay(url, folder, process.env);
  const say = <Answer>(answer: Answer, words: (answer: Answer) => string) =>
    console.log(json ? JSON.stringify(answer, null, 2) : words(answer).trimEnd());

  if (to === undefined) {
    const report = (await callRelay(relay, 'GET', '/api/doctor')) as DoctorReport;
    say(report, toDoctorText);
    process.exitCode = report.state === 'failed' ? 1 : 0;
    return;
  }
  const body = { to, ...(from === undefined ? {} : { from }) };
  const report = (await callRelay(relay, 'POST', '/api/mail/test', { body })) as TestMailReport;
  say(report, (answer) => toTestMailText(to, answer));
  process.exitCode = report.state === 'sent' || report.state === 'captured' ? 0 : 1;
};

await runCommand('npm run doctor', main);
