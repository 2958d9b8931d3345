import { attachments } from './attachments.js';
import { answered, conversationList } from './conversation.js';
import { backLink, element, icon } from './elements.js';
import { fileLink, isRelay } from './inbox-access.js';
import { invitationCard } from './invitation.js';
import { mailTabs } from './mail-tabs.js';
import { address, fewOf } from './people.js';
import { relayId } from './relay-mail.js';
import { relayHref } from './waiting-list.js';
import { fullTime, subjectOf } from './wording.js';

/** An email: what was asked of Graph, in the order a reader looks for it. */
export const mailView = ({ message, headers, graph, context }, { onDelete }) =>
  [
    element(
      'header',
      { class: 'mail-head' },
      element(
        'p',
        { class: 'mail-actions' },
        backLink(),
        fileLink(
          element(
            'a',
            {
              class: 'quiet',
              download: `${message.ID}.eml`,
              title: 'The email as a file (.eml) for a mail client',
            },
            icon('download'),
            element('span', {}, 'Download'),
          ),
          `api/v1/message/${encodeURIComponent(message.ID)}/raw?dl=1`,
          `${message.ID}.eml`,
        ),
        element(
          'button',
          { type: 'button', class: 'quiet', on: { click: onDelete } },
          icon('trash'),
          element('span', {}, 'Delete'),
        ),
      ),
      element('h2', { dir: 'auto' }, subjectOf(message)),
      badges(message, graph.body),
      element(
        'dl',
        { class: 'envelope' },
        row('From', address(message.From)),
        ...[
          ['To', message.To],
          ['Cc', message.Cc],
          ['Bcc', message.Bcc],
          ['Reply-To', message.ReplyTo],
        ]
          .filter(([, list]) => list.length > 0)
          .map(([name, list]) => row(name, ...fewOf(list, (one) => address(one)))),
        context.inReplyTo && row('In reply to', ...answered(context)),
        row(
          isRelay ? 'Captured' : 'Accepted',
          element('time', { datetime: message.Date }, fullTime(message.Date)),
          isRelay && element('span', { class: 'aside' }, ', not sent'),
        ),
        graph.caller !== undefined && row('Caller', graph.caller),
        relayIdRow(message),
        row('Mailbox', element('span', { class: 'mailbox' }, graph.mailbox)),
      ),
    ),
    conversationList(message.ID, context.conversation),
    invitationCard(context.invitation),
    attachments(message),
    ...mailTabs({ message, headers, graph, invitation: context.invitation }),
  ].filter(Boolean);

/** A captured email has the id of the relay for its own. */
const relayIdRow = ({ ID, RelayID = isRelay ? ID : undefined }) =>
  RelayID !== undefined &&
  row(
    'Relay ID',
    ...relayId(RelayID),
    element('a', { class: 'what-happened', href: relayHref(RelayID) }, 'What happened'),
  );

const row = (name, ...value) => element('div', {}, element('dt', {}, name), element('dd', {}, ...value));

const badges = (message, { message: sent, saveToSentItems }) => {
  const words = [
    sent.importance === 'high' && ['high', 'High importance'],
    sent.importance === 'low' && ['', 'Low importance'],
    sent.isReadReceiptRequested && ['', 'Read receipt requested'],
    sent.isDeliveryReceiptRequested && ['', 'Delivery receipt requested'],
    String(saveToSentItems) === 'false' && ['', 'Not kept in Sent Items'],
    ...message.Tags.map((tag) => ['tag', tag]),
  ].filter(Boolean);
  if (words.length === 0) return null;
  return element(
    'ul',
    { class: 'badges' },
    ...words.map(([kind, text]) => element('li', { class: kind || false }, text)),
  );
};
