import { bidi, element, icon } from './elements.js';
import { dayOf, nameOf, namesOf, subjectOf, timeOfDay } from './wording.js';

const FLASH_MS = 1800;

/** Draws the list, newest first under the name of its day, and keeps the focus where it was. */
export const makeMailList = (root) => {
  let items = new Map();
  let openId = null;

  const draw = (mails, { justArrived = new Set() } = {}) => {
    const focused = document.activeElement?.closest?.('[data-id]')?.dataset.id;
    const days = Map.groupBy(mails, ({ Created }) => dayOf(Created));
    const next = new Map(mails.map((mail) => [mail.ID, items.get(mail.ID) ?? toItem(mail)]));
    for (const mail of mails) {
      const item = next.get(mail.ID);
      item.classList.toggle('unread', !mail.Read);
      item.querySelector('.dot').hidden = mail.Read;
      if (justArrived.has(mail.ID)) flash(item);
    }
    items = next;
    root.replaceChildren(
      ...[...days].flatMap(([day, ofDay]) => [
        element('h2', { class: 'day' }, day),
        element('ol', {}, ...ofDay.map(({ ID }) => items.get(ID))),
      ]),
    );
    markOpen(openId);
    if (focused !== undefined) focus(focused);
  };

  /** One stop for Tab; j and k move within. */
  const markOpen = (id) => {
    openId = id;
    const stop = items.has(id) ? id : items.keys().next().value;
    for (const [itemId, item] of items) {
      const link = item.firstElementChild;
      if (itemId === id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
      link.tabIndex = itemId === stop ? 0 : -1;
    }
  };

  const focus = (id) => {
    items.get(id)?.firstElementChild.focus({ preventScroll: true });
  };

  const reveal = (id) => items.get(id)?.scrollIntoView({ block: 'nearest' });

  /** The id `step` places after the one that has the focus or is open; the first when none is. */
  const neighbour = (step) => {
    const ids = [...items.keys()];
    const current = document.activeElement?.closest?.('[data-id]')?.dataset.id ?? openId;
    const at = ids.indexOf(current);
    return at < 0 ? ids[0] : ids[Math.min(Math.max(at + step, 0), ids.length - 1)];
  };

  return { draw, markOpen, focus, reveal, neighbour };
};

const toItem = (mail) => {
  const marks = [
    mail.Attachments > 0 &&
      element(
        'span',
        { class: 'mark', title: `${mail.Attachments} attached` },
        icon('clip'),
        unseen('has attachments'),
      ),
  ];
  return element(
    'li',
    { 'data-id': mail.ID },
    element(
      'a',
      { href: `#/mail/${encodeURIComponent(mail.ID)}` },
      element('span', { class: 'dot' }, unseen('unread')),
      element('span', { class: 'from' }, bidi(nameOf(mail.From))),
      element('span', { class: 'marks' }, ...marks),
      element('time', { datetime: mail.Created }, timeOfDay(mail.Created)),
      element('span', { class: 'subject', dir: 'auto' }, subjectOf(mail)),
      element(
        'span',
        { class: 'about' },
        element('span', { class: 'to' }, ...forWhom(mail)),
        bidi(mail.Snippet),
      ),
    ),
  );
};

/** Not a CSS animation: those begin again whenever the list is drawn. */
const flash = (item) => {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  item.firstElementChild.animate({ backgroundColor: ['var(--stamp-wash)', 'var(--sheet)'] }, FLASH_MS);
};

const forWhom = ({ To, Cc, Bcc }) =>
  [
    ['To', [...To, ...Cc]],
    ['Bcc', Bcc],
  ]
    .filter(([, people]) => people.length > 0)
    .flatMap(([word, people], index) => [`${index > 0 ? '; ' : ''}${word} `, bidi(namesOf(people))]);

const unseen = (words) => element('span', { class: 'unseen' }, words);
