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
  'batch.json': 'a batch',
  'invitation.json': 'mime',
  'payslip.json': 'json',
  'text-and-html.json': 'mime',
  'thread.json': 'mime',
  'whole-message.json': 'mime',
};

const read = async (file: string) => parseJson(await readFile(join(FOLDER, file), 'utf8'));
const wayOf = async (input: unknown) => {
  const sender = { address: 'noreply@contoso.example' };
  return (await planSend('id-1', sender, outgoing(readMail(input)), STANDARD, ACCEPTED_AT)).kind;
};

test.each(Object.entries(WAYS).filter(([, kind]) => kind !== 'a batch'))(
  'the example %s is an email that goes as %s',
  async (file, kind) => {
    expect(await wayOf(await read(file))).toBe(kind);
  },
);

test('each email of the example of a batch can be sent', async () => {
  const { mails } = (await read('batch.json')) as { readonly mails: readonly unknown[] };
  expect(mails.length).toBeGreaterThan(1);
  for (const mail of mails) await wayOf(mail);
});

test('every email among the examples is looked at here', async () => {
  const emails = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  expect(emails.sort()).toEqual(Object.keys(WAYS));
});
