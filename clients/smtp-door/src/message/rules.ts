import { toProblems } from '../../../../src/lib/mail/mail-problems.ts';
import { parseMail } from '../../../../src/lib/mail/mail-schema.ts';
import { type Refusal, refuse } from './refusal.ts';

const CODES: Readonly<Record<string, readonly [enhanced: string, code: number]>> = {
  MAIL_TOO_LARGE: ['5.3.4', 552],
  ADDRESS_INVALID: ['5.1.3', 553],
  RECIPIENT_MISSING: ['5.1.0', 554],
  RECIPIENTS_TOO_MANY: ['5.5.3', 550],
};

/** What the rules of the relay say against an email; undefined where it would accept it. */
export const faultByRules = (mail: Record<string, unknown>): Refusal | undefined => {
  const { success, error, unknown, fields } = parseMail(mail);
  if (success && unknown.length === 0) return undefined;
  const [first] = toProblems({ issues: error?.issues ?? [], unknown, fields }, mail);
  const [enhanced, code] = CODES[first?.code ?? ''] ?? [];
  return refuse(
    `Expected ${first?.expected ?? 'an email'} (${first?.code ?? 'MAIL_INVALID'}).`,
    enhanced,
    code,
  );
};
