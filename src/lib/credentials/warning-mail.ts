import type { Language } from '../mail/language.ts';
import type { CredentialWarning } from './credential-warning.ts';
import type { WarningContext, WarningText, WarningWords } from './warning-text.ts';
import { WARNING_WORDS } from './warning-words.ts';

export type WarningMailContext = WarningContext & {
  readonly language: Language;
  readonly recipients: readonly string[];
  /** The day in UTC. No other time is in the email: of two runs that write it on one day, the ledger keeps one. */
  readonly day: string;
};

/** Nobody reads more, and an email of a full vault would be too large to be sent. */
const MOST_SHOWN = 50;
/** Outlook cuts longer ones in its list, and Graph takes 255 characters. */
const LONGEST_SUBJECT = 200;

/** The warnings of one run as one email. It names secrets and their dates, never their values. */
export const toWarningMail = (warnings: readonly CredentialWarning[], context: WarningMailContext) => {
  const words = WARNING_WORDS[context.language];
  const texts = warnings.slice(0, MOST_SHOWN).map((warning) => words.describe(warning, context));
  const subject = words.subject(
    warnings.map((warning) => words.describe(warning, context).headline),
    context.vault,
  );
  const page: Page = {
    words,
    texts,
    language: context.language,
    opening: words.opening(warnings.length, context.vault, context.day),
    more: warnings.length > texts.length ? [words.more(warnings.length - texts.length)] : [],
  };
  return {
    to: [...context.recipients],
    subject: [...subject].slice(0, LONGEST_SUBJECT).join(''),
    text: toText(page),
    html: toHtml(page),
    importance: 'high',
    // What it warns of can stop every email that it would wait behind.
    priority: 'high',
  };
};

type Page = {
  readonly words: WarningWords;
  readonly texts: readonly WarningText[];
  readonly language: Language;
  readonly opening: string;
  readonly more: readonly string[];
};

const toText = ({ words, texts, opening, more }: Page): string =>
  [
    opening,
    ...texts.map(({ headline, facts, breaks, steps }, index) =>
      [
        `${index + 1}. ${headline}`,
        '',
        ...facts.map(([label, value]) => `   ${label}${words.colon}${value}`),
        ...(breaks === undefined ? [] : ['', `   ${breaks}`]),
        '',
        `   ${words.whatToDo}`,
        ...steps.flatMap((step) => ('say' in step ? ['', `   ${step.say}`] : ['', `     ${step.run}`])),
      ].join('\n'),
    ),
    ...more,
    words.footer,
  ].join('\n\n');

const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

// Outlook for Windows renders with Word: tables, and styles on each element, are what it keeps.
const FONT =
  "font-family:'Segoe UI','Microsoft JhengHei','PingFang TC',Arial,sans-serif;font-size:14px;line-height:1.5;color:#1b1b1b";
const CODE =
  'font-family:Consolas,Menlo,monospace;font-size:13px;background-color:#f3f3f3;padding:8px 10px;word-wrap:break-word;overflow-wrap:anywhere';

const row = (label: string, value: string): string =>
  `<tr><td style="padding:2px 16px 2px 0;color:#5a5a5a;white-space:nowrap;vertical-align:top">${escapeHtml(label)}</td><td style="padding:2px 0;vertical-align:top">${escapeHtml(value)}</td></tr>`;

const sectionOf = (words: WarningWords, { headline, facts, breaks, steps }: WarningText): string =>
  [
    '<tr><td style="padding:16px 0 20px;border-top:1px solid #d0d0d0">',
    `<h2 style="margin:0 0 8px;font-size:17px;line-height:1.35">${escapeHtml(headline)}</h2>`,
    `<table role="presentation" cellpadding="0" cellspacing="0" style="${FONT}">${facts.map(([label, value]) => row(label, value)).join('')}</table>`,
    ...(breaks === undefined ? [] : [`<p style="margin:10px 0 0">${escapeHtml(breaks)}</p>`]),
    `<p style="margin:12px 0 0"><strong>${escapeHtml(words.whatToDo)}</strong></p>`,
    ...steps.map((step) =>
      'say' in step
        ? `<p style="margin:8px 0 0">${escapeHtml(step.say)}</p>`
        : `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:6px 0 0"><tr><td style="${CODE}">${escapeHtml(step.run)}</td></tr></table>`,
    ),
    '</td></tr>',
  ].join('');

const toHtml = ({ words, texts, language, opening, more }: Page): string =>
  [
    `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>`,
    `<body style="margin:0;padding:16px;background-color:#ffffff"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:720px;${FONT}">`,
    `<tr><td style="padding:0 0 14px">${escapeHtml(opening)}</td></tr>`,
    ...texts.map((text) => sectionOf(words, text)),
    ...[...more, words.footer].map(
      (line) => `<tr><td style="padding:10px 0 0;color:#5a5a5a;font-size:12px">${escapeHtml(line)}</td></tr>`,
    ),
    '</table></body></html>',
  ].join('');
