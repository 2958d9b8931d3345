import { describe, expect, test } from 'vitest';
import { toLimitWarning } from '../../../src/lib/delivery/limit-warning.ts';
import { LANGUAGES } from '../../../src/lib/mail/language.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aCaller } from '../../support/a-caller.ts';

describe.each(LANGUAGES)('the warning to the owner of a caller in %s', (language) => {
  const warn = () => toLimitWarning(aCaller('payroll', {}), 'owner@contoso.example', '2026-03-02', language);

  test('is a valid email that says which caller, which day, and what to run', () => {
    const { to, subject, text } = readMail(warn());
    expect(to).toMatchObject([{ address: 'owner@contoso.example' }]);
    for (const one of ['payroll', '2026-03-02']) expect(subject).toContain(one);
    expect(text).toContain('npm run callers -- limit payroll --mails-per-day NUMBER');
    expect(/[\u4e00-\u9fff]/.test(`${subject}${text}`)).toBe(language === 'zh-Hant');
  });

  test('is the same all day, so that two instances write one email', () => {
    expect(warn()).toEqual(warn());
  });
});
