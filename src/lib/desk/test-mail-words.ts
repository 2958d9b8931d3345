/** The languages of the emails that the relay itself writes (MAIL_LANGUAGE). */
export type MailLanguage = 'en' | 'zh-Hant';

type Facts = { readonly app: string; readonly at: Date };

type Words = { readonly subject: string; readonly paragraphs: readonly string[] };

const WORDS: Readonly<Record<MailLanguage, (facts: Facts) => Words>> = {
  en: ({ app, at }) => ({
    subject: `Test email from ${app}`,
    paragraphs: [
      'This is a test email of Graph Mail Relay. An administrator sent it, and you do not need to do anything.',
      `It was sent by ${app} at ${timeOf(at)}, in the same way as every other email of the relay.`,
      'If you are the administrator: check that From is the mailbox that you expect, and that the email is not in Junk.',
    ],
  }),
  'zh-Hant': ({ app, at }) => ({
    subject: `${app} 的測試郵件`,
    paragraphs: [
      '這是 Graph Mail Relay 的測試郵件，由系統管理員寄出，您不需要做任何事。',
      `寄出的是 ${app}，時間為 ${timeOf(at)}，寄送方式與這個轉寄服務的其他郵件相同。`,
      '如果您是系統管理員：請確認寄件者是您預期的信箱，而且郵件沒有進入垃圾郵件資料夾。',
    ],
  }),
};

const timeOf = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** What a test email says, as text and as html. */
export const toTestMail = (language: MailLanguage, facts: Facts) => {
  const { subject, paragraphs } = WORDS[language](facts);
  return {
    subject,
    text: `${paragraphs.join('\n\n')}\n`,
    html: `<!DOCTYPE html><html lang="${language}"><body>${paragraphs.map((one) => `<p>${escaped(one)}</p>`).join('')}</body></html>`,
  };
};
