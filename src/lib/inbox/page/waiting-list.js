import { element } from './elements.js';
import { ask, askJson, DESK, isRelay } from './inbox-access.js';
import { count, shortTime } from './wording.js';

/** In these, an email is in no mailbox yet, or an operator must decide. */
const LISTED_STATES = ['queued', 'sending', 'deferred', 'unknown', 'held'];

/** The emails of the relay that wait or are held, newest first. */
export const waitingMails = async () => {
  if (!isRelay) return (await askJson('relay/waiting')).mails;
  const pages = await Promise.all(LISTED_STATES.map((state) => askJson(`${DESK}?state=${state}`)));
  return pages.flatMap(({ mails }) => mails).sort((one, other) => (one.id < other.id ? 1 : -1));
};

/** What the relay knows of an email. */
export const relayMail = (id) => askJson(`${DESK}?id=${encodeURIComponent(id)}`);

/** Its subject and recipients, of a held one, as far as its record has them. */
export const contentOf = async (id) =>
  (await askJson(`${DESK}?id=${encodeURIComponent(id)}&content=true`)).content ?? {};

const changing = (method, path, body) =>
  ask(`${DESK}/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });

export const replay = (id) => changing('POST', `${encodeURIComponent(id)}/replay`);
export const close = (id, note) => changing('POST', `${encodeURIComponent(id)}/close`, { note });
export const cancel = (id) => changing('DELETE', encodeURIComponent(id));

export const relayHref = (id) => `#/relay/${encodeURIComponent(id)}`;

/** Draws the list above that of the emails; without any, nothing. */
export const drawWaiting = (root, mails, openId) => {
  const focused = document.activeElement?.closest?.('[data-waiting]')?.dataset.waiting;
  root.hidden = mails.length === 0;
  root.replaceChildren(
    element('h2', { class: 'day' }, `Waiting or held: ${count(mails.length, 'email')}`),
    element('ol', {}, ...mails.map((mail) => toItem(mail, mail.id === openId))),
  );
  if (focused !== undefined) focusWaiting(root, focused);
};

export const focusWaiting = (root, id) => root.querySelector(`[data-waiting="${CSS.escape(id)}"] a`)?.focus();

const WAITS = { sending: 'Is being sent', deferred: 'Waits for the next try', unknown: 'Outcome unknown' };

/** Why it is here, in few words. */
const why = ({ state, sendAt, until = sendAt, reason }) =>
  reason?.title ??
  WAITS[state] ??
  (until !== undefined && new Date(until) > new Date()
    ? `Waits until ${shortTime(until)}`
    : 'Waits on the queue');

const toItem = (mail, isOpen) => {
  const { id, state, sender, recipients, acceptedAt, tags } = mail;
  return element(
    'li',
    { 'data-waiting': id },
    element(
      'a',
      { href: relayHref(id), 'aria-current': isOpen && 'true' },
      element('span', { class: 'from' }, sender || '(no sender)'),
      element('span', { class: 'state', 'data-state': state }, state),
      element('time', { datetime: acceptedAt }, shortTime(acceptedAt)),
      element('span', { class: 'subject' }, why(mail)),
      element(
        'span',
        { class: 'about' },
        element('span', { class: 'to' }, `To ${count(recipients, 'recipient')}`),
        tags.join(', '),
      ),
    ),
  );
};
