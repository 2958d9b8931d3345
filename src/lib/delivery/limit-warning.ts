import type { Caller } from '../callers/caller.ts';
import type { Language } from '../mail/language.ts';

type Words = { readonly subject: string; readonly lines: readonly string[] };

const commandsFor = (knownAs: string): readonly string[] => [
  `  npm run callers -- show ${knownAs}`,
  `  npm run callers -- limit ${knownAs} --mails-per-day NUMBER --recipients-per-day NUMBER`,
];

const english = ({ name, knownAs }: Caller, day: string): Words => ({
  subject: `The caller ${knownAs} has reached its daily limit (${day})`,
  lines: [
    `The caller ${knownAs} has reached its daily limit of emails or recipients on ${day} (UTC).`,
    ...(name === knownAs ? [] : ['', `It sends with a function key of its own: ${name}.`]),
    '',
    'Until midnight UTC, the relay returns 429 (CALLER_LIMIT_REACHED) for its further emails by HTTP and accepts none of them.',
    'Its emails from the queue wait and are sent when the limit allows. After five days, the relay holds them.',
    'Nothing that the relay accepted is lost.',
    '',
    'If the application should send this much, ask an administrator of the relay to raise the limit:',
    '',
    ...commandsFor(knownAs),
    '',
    'If it should not, find out what it sends: it can be an error in the application, or a key that leaked.',
    '',
    'Sent by Graph Mail Relay, once a day at most for each caller.',
  ],
});

const chinese = ({ name, knownAs }: Caller, day: string): Words => ({
  subject: `呼叫端 ${knownAs} 已達到每日上限（${day}）`,
  lines: [
    `呼叫端 ${knownAs} 在 ${day}（UTC）已達到郵件或收件者（收件人）數量的每日上限。`,
    ...(name === knownAs ? [] : ['', `它使用自己的函式金鑰寄送：${name}。`]),
    '',
    '在 UTC 午夜之前，轉送服務對它以 HTTP 送來的其他郵件一律回傳 429（CALLER_LIMIT_REACHED），而且不會接受這些郵件。',
    '它在佇列（隊列）中的郵件會等待，上限允許時再寄出。五天之後仍未寄出的郵件會轉為待人工處理。',
    '轉送服務已接受的郵件不會遺失。',
    '',
    '如果這個應用程式確實需要寄這麼多郵件，請轉送服務的系統管理員提高上限：',
    '',
    ...commandsFor(knownAs),
    '',
    '如果不需要，請查明它寄了什麼：可能是應用程式有錯誤，或金鑰已經外洩。',
    '',
    '由 Graph Mail Relay 寄出，每個呼叫端每天最多一封。',
  ],
});

const WORDS: Readonly<Record<Language, (caller: Caller, day: string) => Words>> = {
  en: english,
  'zh-Hant': chinese,
};

/**
 * The warning to the owner of a caller, as an email. The same all day, so that two instances that write it write one email: it has
 * neither numbers nor times of the moment.
 */
export const toLimitWarning = (caller: Caller, owner: string, day: string, language: Language) => {
  const { subject, lines } = WORDS[language](caller, day);
  return { to: [owner], subject, text: lines.join('\n') };
};
