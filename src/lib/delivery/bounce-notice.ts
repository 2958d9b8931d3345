import { explainBounce } from '../bounces/bounce-words.ts';
import type { ToldRecipient } from '../bounces/bounced-recipient.ts';
import type { MailFacts } from '../ledger/ledger-row.ts';
import type { Language } from '../mail/language.ts';

type Words = { readonly subject: string; readonly lines: readonly string[] };

/** Nobody reads more; the status has them all. */
const MOST_SHOWN = 20;

const english = (
  { mailId, sender, acceptedAt, tags }: MailFacts,
  failed: readonly ToldRecipient[],
): Words => ({
  subject: `An email bounced: ${failed.length === 1 ? 'a recipient' : `${failed.length} recipients`} did not receive it`,
  lines: [
    `An email that your application sent as ${sender} on ${acceptedAt} did not reach all of its recipients.`,
    '',
    `ID of the email: ${mailId}`,
    ...(tags.length === 0 ? [] : [`Tags: ${tags.join(', ')}`]),
    ...failed.slice(0, MOST_SHOWN).flatMap(({ place, of, address, code }) => {
      const { cause, remedy } = explainBounce(code, 'en');
      return [
        '',
        `Recipient ${place} of ${of}${address === undefined ? '' : `: ${address}`}${code === undefined ? '' : ` (code ${code})`}`,
        `  ${cause}`,
        `  ${remedy}`,
      ];
    }),
    ...(failed.length > MOST_SHOWN
      ? ['', `And ${failed.length - MOST_SHOWN} more. The status of the email lists them.`]
      : []),
    '',
    'Sent by Graph Mail Relay. It does not send the email again.',
  ],
});

const chinese = (
  { mailId, sender, acceptedAt, tags }: MailFacts,
  failed: readonly ToldRecipient[],
): Words => ({
  subject: `郵件被退回：${failed.length} 位收件者（收件人）沒有收到`,
  lines: [
    `您的應用程式以 ${sender} 在 ${acceptedAt} 寄出的郵件沒有送達所有收件者（收件人）。`,
    '',
    `郵件識別碼：${mailId}`,
    ...(tags.length === 0 ? [] : [`標記：${tags.join('、')}`]),
    ...failed.slice(0, MOST_SHOWN).flatMap(({ place, of, address, code }) => {
      const { cause, remedy } = explainBounce(code, 'zh-Hant');
      return [
        '',
        `收件者 ${place}（共 ${of} 位）${address === undefined ? '' : `：${address}`}${code === undefined ? '' : `（代碼 ${code}）`}`,
        `  ${cause}`,
        `  ${remedy}`,
      ];
    }),
    ...(failed.length > MOST_SHOWN ? ['', `另有 ${failed.length - MOST_SHOWN} 位，請查看郵件的狀態。`] : []),
    '',
    '由 Graph Mail Relay 寄出。轉送服務不會重寄這封郵件。',
  ],
});

const WORDS = { en: english, 'zh-Hant': chinese } as const satisfies Record<
  Language,
  (facts: MailFacts, failed: readonly ToldRecipient[]) => Words
>;

/** The notice to the owner of a caller that one of its emails bounced. It has nothing of the content of that email. */
export const toBounceNotice = (
  owner: string,
  facts: MailFacts,
  failed: readonly ToldRecipient[],
  language: Language,
) => {
  const { subject, lines } = WORDS[language](facts, failed);
  return { to: [owner], subject, text: lines.join('\n') };
};
