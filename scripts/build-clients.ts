// Makes the packages that applications and machines beside the relay install:
//   node scripts/build-clients.ts [NAME...]

import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { makeNodemailerClient } from './nodemailer-client.ts';
import { makeSmtpDoor } from './smtp-door-client.ts';

/** How each package of `clients/` is made in a folder; gives its file. */
const CLIENTS: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  nodemailer: makeNodemailerClient,
  'smtp-door': makeSmtpDoor,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(CLIENTS, name));
if (unknown.length > 0) {
  console.error(
    `Usage: node scripts/build-clients.ts [NAME...]\nExpected names of ${Object.keys(CLIENTS).join(', ')}, received ${unknown.join(', ')}.`,
  );
  process.exitCode = 2;
} else {
  const folder = join(import.meta.dirname, '../dist');
  await mkdir(folder, { recursive: true });
  for (const [name, make] of Object.entries(CLIENTS))
    if (names.length === 0 || names.includes(name))
      console.log(`Made ${relative(process.cwd(), await make(folder))}.`);
}
