import { backLink, bidi, copyButton, element } from './elements.js';
import { isRelay } from './inbox-access.js';
import { mayBeSent } from './may-be-sent.js';
import { cancel, close, contentOf, replay } from './waiting-list.js';
import { count, fullTime } from './wording.js';

/** What the relay knows of an email: its state, why, what happened, and what an operator can do. */
export const relayMailView = (mail, { onChanged }) => {
  const { id, state, sender, recipients, recipientAddresses, tags, caller, acceptedAt, reason } = mail;
  return [
    element(
      'header',
      { class: 'mail-head' },
      element('p', { class: 'mail-actions' }, backLink()),
      element('h2', {}, titleOf(mail)),
      element(
        'ul',
        { class: 'badges' },
        element('li', { class: 'state', 'data-state': state }, state),
        ...tags.map((tag) => element('li', { class: 'tag' }, tag)),
      ),
      element(
        'dl',
        { class: 'envelope' },
        ...facts([
          ['Relay ID', relayId(id)],
          ['From', sender],
          ['To', recipientAddresses?.join(', ') ?? count(recipients, 'recipient')],
          ['Caller', caller],
          ['Accepted', time(acceptedAt)],
          ['Send at', mail.sendAt && time(mail.sendAt)],
          ['Next try', mail.until && time(mail.until)],
          ['Request ID', mail.graphRequestId && element('code', {}, mail.graphRequestId)],
          ['Message-ID', mail.internetMessageId && element('code', {}, mail.internetMessageId)],
          ['Note', mail.note],
        ]),
      ),
    ),
    element(
      'div',
      { class: 'relay-mail' },
      reason && reasonOf(reason),
      state === 'held' && contentButton(id),
      actionsOf(mail, onChanged),
      element('h3', {}, 'What happened'),
      timelineOf(mail),
      element(
        'p',
        { class: 'note' },
        `The ledger has nothing of the content of an email. The email is in this inbox once it is ${isRelay ? 'captured' : 'sent'}.`,
      ),
    ),
  ];
};

/** The id that the relay returned, to be copied. */
export const relayId = (id) => [element('code', {}, id), copyButton('Copy', () => id)];

const TITLES = {
  queued: 'Waits on the queue',
  sending: 'Is being sent',
  deferred: 'Waits for the next try',
  unknown: 'Outcome unknown',
  sent: 'Sent',
  rejected: 'Rejected',
  held: 'Held',
  closed: 'Closed',
  canceled: 'Canceled',
  captured: 'Captured',
};

const EVENTS = {
  accepted: 'Accepted by the relay',
  replayed: 'Replayed',
  'attempt accepted': 'Attempt: Graph accepted the email',
  'attempt rejected': 'Attempt: rejected',
  'attempt not-sent': 'Attempt: not sent',
  'attempt unknown': 'Attempt: outcome unknown',
};

const titleOf = ({ state, reason }) => [TITLES[state] ?? state, reason?.title].filter(Boolean).join(': ');

const time = (iso) => element('time', { datetime: iso }, fullTime(iso));

const facts = (rows) =>
  rows
    .filter(([, value]) => value !== undefined && value !== false && value !== '')
    .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)));

const reasonOf = ({ code, detail, remedy, problems = [] }) =>
  element(
    'div',
    { class: 'reason' },
    detail && element('p', {}, detail),
    problems.length > 0 &&
      element(
        'ul',
        {},
        ...problems.map(({ pointer, expected, received }) =>
          element('li', {}, element('code', {}, pointer), `: expected ${expected}, received ${received}.`),
        ),
      ),
    remedy && element('p', {}, element('b', {}, 'What to do: '), remedy),
    element('p', { class: 'aside' }, element('code', {}, code)),
  );

/** Read only when somebody asks: the relay logs that it was shown. */
const contentButton = (id) => {
  const root = element('div', { class: 'content' });
  const show = async () => {
    try {
      const { subject, to = [], cc = [], bcc = [] } = await contentOf(id);
      const rows = facts([
        ['Subject', subject !== undefined && bidi(subject)],
        ['To', to.join(', ')],
        ['Cc', cc.join(', ')],
        ['Bcc', bcc.join(', ')],
      ]);
      root.replaceChildren(
        rows.length > 0
          ? element('dl', { class: 'envelope' }, ...rows)
          : element('p', { class: 'note' }, 'The record of this email has no content.'),
      );
    } catch (error) {
      root.replaceChildren(element('p', { class: 'key-problem', role: 'alert' }, error.message));
    }
  };
  root.append(
    element('button', { type: 'button', class: 'plain', on: { click: show } }, 'Show subject and recipients'),
  );
  return root;
};

const WAITS = new Set(['queued', 'deferred']);

const actionsOf = (mail, onChanged) => {
  const { id, state } = mail;
  const isHeld = state === 'held';
  if (!isHeld && !WAITS.has(state)) return null;
  const problem = element('p', { class: 'key-problem', role: 'alert', hidden: true });
  const say = (words) => {
    problem.textContent = words;
    problem.hidden = false;
  };
  const doing = (act) => async (event) => {
    event.preventDefault();
    const all = actions.querySelectorAll('button');
    for (const button of all) button.disabled = true;
    try {
      await act();
      await onChanged();
    } catch (error) {
      say(error.message || 'The relay does not accept the key any more.');
      for (const button of all) button.disabled = false;
    }
  };
  const note = element('input', {
    id: 'close-note',
    'aria-required': 'true',
    maxlength: '500',
    autocomplete: 'off',
    placeholder: isHeld ? 'Why, for example: found in Sent Items' : 'Why',
  });
  const button = (words, act) =>
    element('button', { type: 'button', class: 'plain', on: { click: doing(act) } }, words);
  const closing = (event) => {
    if (note.value.trim() !== '') return doing(() => close(id, note.value))(event);
    event.preventDefault();
    note.setAttribute('aria-invalid', 'true');
    say('To close this email, write a note that says why. The application can read it.');
    note.focus();
  };
  const actions = element(
    'div',
    { class: 'actions' },
    isHeld && replayButton(mail, { doing, button, say }),
    // On the page of a relay, the key is that of operators, who close.
    !isHeld && !isRelay && button('Cancel this email', () => cancel(id)),
    element(
      'form',
      { novalidate: true, on: { submit: closing } },
      element('label', { for: 'close-note' }, 'Note'),
      note,
      element('button', { type: 'submit', class: 'plain' }, 'Close without sending'),
    ),
    problem,
  );
  return actions;
};

/** A replay that may send the email twice asks for a second click. */
const replayButton = (mail, { doing, button, say }) => {
  const act = () => replay(mail.id);
  if (!mayBeSent(mail)) return button('Replay: send it again', act);
  let isConfirmed = false;
  const asking = element(
    'button',
    {
      type: 'button',
      class: 'plain',
      on: {
        click: (event) => {
          if (isConfirmed) return event.detail > 1 ? undefined : doing(act)(event);
          isConfirmed = true;
          asking.textContent = 'Replay, may send twice';
          say(
            'The email may have been sent already. Look in the Sent Items of the sender first. To send it again, press the button once more.',
          );
        },
      },
    },
    'Replay: send it again',
  );
  return asking;
};

const timelineOf = ({ timeline, omittedAttempts }) =>
  element(
    'ol',
    { class: 'timeline' },
    omittedAttempts > 0 &&
      element(
        'li',
        {},
        `${count(omittedAttempts, 'earlier attempt')} ${omittedAttempts === 1 ? 'is' : 'are'} not shown.`,
      ),
    ...timeline.map(({ at, event, ...more }) =>
      element(
        'li',
        {},
        time(at),
        element('b', {}, EVENTS[event] ?? TITLES[event] ?? event),
        element('span', { class: 'aside' }, Object.entries(more).map(factWords).join(', ')),
      ),
    ),
  );

const factWords = ([name, value]) =>
  name === 'waitMs'
    ? `wait ${Math.round(value / 1000)} s`
    : `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
