import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseJson, readMail } from '../src/lib/mail/read-mail.ts';
import { outgoing } from '../src/lib/sending/outgoing-mail.ts';
import { planSend } from '../src/lib/sending/send-plan.ts';
import { ACCEPTED_AT, STANDARD } from './support/a-plan.ts';

const FOLDER = join(import.meta.dirname, '../docs/examples');

/** The examples that are emails, and how they go. */
const WAYS = {
  'invitation.json': 'mime',
  'payslip.json': 'json',
  'text-and-html.json': 'mime',
  'thread.json': 'mime',
  'whole-message.json': 'mime',
};

test.each(Object.entries(WAYS))('the example %s is an email that goes as %s', async (file, kind) => {
  const mail = readMail(parseJson(await readFile(join(FOLDER, file), 'utf8')));
  const sender = { address: 'noreply@contoso.example' };
  expect((await planSend('id-1', sender, outgoing(mail), STANDARD, ACCEPTED_AT)).kind).toBe(kind);
});

test('every email among the examples is looked at here', async () => {
  const emails = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  expect(emails.sort()).toEqual(Object.keys(WAYS));
});
