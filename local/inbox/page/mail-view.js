import { element, icon } from './elements.js';
import { mailTabs } from './mail-tabs.js';
import { count, fullTime, size, subjectOf } from './wording.js';

const RECIPIENTS_SHOWN = 3;

/** A mail: what was asked of Graph, in the order a reader looks for it. */
export const mailView = ({ message, headers, graph }, { onDelete }) =>
  [
    element(
      'header',
      { class: 'mail-head' },
      element(
        'p',
        { class: 'mail-actions' },
        element('a', { href: '#/', class: 'quiet back' }, icon('back'), element('span', {}, 'All emails')),
        element(
          'button',
          { type: 'button', class: 'quiet', on: { click: onDelete } },
          icon('trash'),
          element('span', {}, 'Delete'),
        ),
      ),
      element('h2', {}, subjectOf(message)),
      badges(message, graph.body),
      element(
        'dl',
        { class: 'envelope' },
        row('From', ...addresses([message.From])),
        ...[
          ['To', message.To],
          ['Cc', message.Cc],
          ['Bcc', message.Bcc],
          ['Reply-To', message.ReplyTo],
        ]
          .filter(([, list]) => list.length > 0)
          .map(([name, list]) => row(name, ...addresses(list))),
        row('Accepted', element('time', { datetime: message.Date }, fullTime(message.Date))),
        row('Mailbox', element('span', { class: 'mailbox' }, graph.mailbox)),
      ),
    ),
    message.Attachments.length > 0 && attachments(message),
    ...mailTabs({ message, headers, graph }),
  ].filter(Boolean);

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

const addresses = (list) => {
  const few = list.slice(0, RECIPIENTS_SHOWN).map(address);
  const hidden = list.length - few.length;
  if (hidden <= 0) return few;
  const people = element('span', { class: 'people' }, ...few);
  let open = false;
  const toggle = element('button', { type: 'button', class: 'more-people', 'aria-expanded': 'false' });
  const label = () => {
    toggle.textContent = open ? 'Show fewer' : `and ${hidden.toLocaleString('en')} more`;
    toggle.setAttribute('aria-expanded', String(open));
  };
  toggle.addEventListener('click', () => {
    open = !open;
    people.classList.toggle('all', open);
    people.replaceChildren(...(open ? list.map(address) : few));
    label();
  });
  label();
  return [people, toggle];
};

const address = ({ Name, Address }) =>
  Name === ''
    ? element('span', { class: 'address' }, Address)
    : element('span', { class: 'address' }, element('b', {}, Name), ' ', element('span', {}, Address));

const attachments = ({ ID, Attachments }) =>
  element(
    'section',
    { class: 'attachments', 'aria-label': count(Attachments.length, 'attachment') },
    element('ul', {}, ...Attachments.map((part) => element('li', {}, attachmentLink(ID, part)))),
  );

const attachmentLink = (mailId, { PartID, FileName, ContentType, Size }) => {
  const ending = /\.([A-Za-z0-9]{1,4})$/.exec(FileName)?.[1] ?? ContentType.split('/')[1]?.slice(0, 4) ?? '';
  return element(
    'a',
    {
      href: `/api/v1/message/${encodeURIComponent(mailId)}/part/${encodeURIComponent(PartID)}`,
      download: FileName || 'attachment',
      title: `${FileName} (${ContentType})`,
    },
    element(
      'span',
      { class: 'file-kind', 'data-kind': kindOf(ContentType, ending), 'aria-hidden': 'true' },
      ending.toUpperCase(),
    ),
    element('span', { class: 'file-name' }, FileName || 'attachment'),
    element('span', { class: 'file-size' }, size(Size)),
    icon('download'),
  );
};

const kindOf = (contentType, ending) => {
  if (contentType === 'application/pdf') return 'pdf';
  if (contentType.startsWith('image/')) return 'image';
  if (/^(?:xlsx?|csv|ods)$/i.test(ending)) return 'sheet';
  if (/^(?:docx?|odt|rtf|txt|md)$/i.test(ending)) return 'document';
  if (/^(?:zip|7z|gz|tar|rar)$/i.test(ending)) return 'archive';
  return 'other';
};
