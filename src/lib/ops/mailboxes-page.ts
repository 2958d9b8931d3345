import type { MailboxShare } from '../metrics/mailbox-share.ts';
import { html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { badge, foreign, table, time, type View } from './view.ts';

/** From here on a mailbox is close to a limit. */
const CLOSE = 0.8;

/** Every mailbox that sends, with its share of what Exchange allows it. */
export const mailboxesPage = (
  view: View,
  shares: readonly MailboxShare[] | undefined,
  sampledAt: string | undefined,
): Page => {
  const { words, language } = view;
  const { mailboxes, columns } = words;
  return {
    title: words.pages.mailboxes,
    page: 'mailboxes',
    content: html`<p class="lead">${mailboxes.intro}</p>
${sampledAt !== undefined && html`<p class="soft">${mailboxes.sampledAt} ${time(sampledAt)}</p>`}
${
  shares === undefined || shares.length === 0
    ? html`<p>${sampledAt === undefined ? words.overview.noSamples : mailboxes.empty}</p>`
    : table(
        words.pages.mailboxes,
        [
          { title: columns.mailbox },
          { title: mailboxes.minute, isNumber: true },
          { title: mailboxes.day, isNumber: true },
          { title: mailboxes.sent, isNumber: true },
          { title: mailboxes.recipients, isNumber: true },
          { title: mailboxes.pauses, isNumber: true },
          { title: mailboxes.pausedUntil },
        ],
        shares.map((one) => [
          foreign(one.address),
          share(one.minute),
          share(one.day),
          one.sentLastDay.toLocaleString(language),
          one.recipientsLastDay.toLocaleString(language),
          one.pausesLastDay.toLocaleString(language),
          one.pausedUntil === undefined ? mailboxes.notPaused : badge('warning', time(one.pausedUntil)),
        ]),
      )
}`,
  };
};

const share = (part: number): Part => {
  const percent = `${Math.round(part * 100)} %`;
  return html`${part >= CLOSE ? badge('warning', percent) : percent}<meter min="0" max="1" high="${CLOSE}" value="${Math.min(1, part)}" aria-hidden="true"></meter>`;
};
