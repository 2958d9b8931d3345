// Reads the JSON of GET /api/doctor from the standard input, for infra/deploy.sh:
//   node scripts/read-doctor.ts             whether any check failed
//   node scripts/read-doctor.ts CONNECTION  what it says of the token of this connection, and whether it has one
// Exits with 0 if all is well, with 1 if not, and with 2 if this is no report of the doctor.

import { readFileSync } from 'node:fs';
import { isObject } from '../src/lib/mail/absent.ts';

type Finding = {
  readonly check: string;
  readonly subject?: string;
  readonly state: string;
  readonly seen: string;
  readonly remedy?: string;
};

const readFindings = (text: string): readonly Finding[] | undefined => {
  try {
    const report: unknown = JSON.parse(text);
    const findings = isObject(report) ? (report as { findings?: unknown }).findings : undefined;
    return Array.isArray(findings) ? (findings as Finding[]) : undefined;
  } catch {
    return undefined;
  }
};

const [connection] = process.argv.slice(2);
const findings = readFindings(readFileSync(0, 'utf8'));
if (findings === undefined) {
  console.error('Expected the JSON of GET /api/doctor, received something else.');
  process.exitCode = 2;
} else if (connection === undefined) {
  process.exitCode = findings.some(({ state }) => state === 'failed') ? 1 : 0;
} else {
  const token = findings.find(({ check, subject }) => check === 'token' && subject === connection);
  console.log(
    token === undefined
      ? `The relay does not have the connection ${connection} yet.`
      : [token.seen, token.remedy].filter(Boolean).join(' '),
  );
  process.exitCode = token?.state === 'ok' ? 0 : 1;
}
