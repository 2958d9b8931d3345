import { bidi, element } from './elements.js';
import { count, nameOf, shortTime, subjectOf } from './wording.js';

/** The emails that answer each other, in order, with links to the others. */
export const conversationList = (openId, conversation) =>
  conversation.length > 0 &&
  element(
    'nav',
    { class: 'conversation', 'aria-label': 'Conversation' },
    element('h3', {}, `Conversation of ${count(conversation.length, 'email')}`),
    element('ol', {}, ...conversation.map((mail) => element('li', {}, entry(mail, mail.ID === openId)))),
  );

const entry = (mail, isOpen) =>
  element(
    'a',
    { href: mailHref(mail.ID), 'aria-current': isOpen && 'true' },
    element('span', { class: 'sender' }, bidi(nameOf(mail.From))),
    element('span', { class: 'title', dir: 'auto' }, subjectOf(mail)),
    element('time', { datetime: mail.Created }, shortTime(mail.Created)),
  );

/** The email that this one answers. */
export const answered = ({ inReplyTo, conversation }) => {
  const mail = conversation.find(({ ID }) => ID === inReplyTo.ID);
  if (mail)
    return [
      element('a', { href: mailHref(mail.ID) }, bidi(subjectOf(mail))),
      element('span', { class: 'aside' }, ' from ', bidi(nameOf(mail.From))),
    ];
  return [
    element('code', {}, inReplyTo.MessageID),
    element('span', { class: 'aside' }, ' (not in this inbox)'),
  ];
};

const mailHref = (id) => `#/mail/${encodeURIComponent(id)}`;
