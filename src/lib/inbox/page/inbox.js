import { backLink, element } from './elements.js';
import { firstSteps, nothingYet } from './first-steps.js';
import { ask, askJson, forgetKey, hasKey, isRelay, KeyRefused, keepKey, VIEWS } from './inbox-access.js';
import { capturingWords, keyEntry, nothingCaptured } from './key-entry.js';
import { makeMailList } from './mail-list.js';
import { mailView } from './mail-view.js';
import { relayMailView } from './relay-mail.js';
import { drawWaiting, focusWaiting, relayMail, waitingMails } from './waiting-list.js';
import { count, subjectOf } from './wording.js';

const PAGE_SIZE = 50;
const PAUSE_IN_TYPING_MS = 150;
/** A list is a request to Storage. */
const LOOK_AGAIN_MS = 10_000;

const byId = (id) => document.getElementById(id);
const mailPane = byId('mail');
const searchField = byId('search');
const list = makeMailList(byId('list'));

let shown = PAGE_SIZE;
let openId = null;
let total = 0;
let waiting = [];
let openRelayId = null;

const change = (method, body) =>
  ask('api/v1/messages', {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

// The list: one request at a time; a change during one asks once more, however many changes there were.
let reloading = false;
let changedMeanwhile = false;
let justArrived = new Set();

const reload = async () => {
  changedMeanwhile = true;
  if (reloading) return;
  reloading = true;
  try {
    while (changedMeanwhile) {
      changedMeanwhile = false;
      const arrived = justArrived;
      justArrived = new Set();
      const search = searchField.value.trim();
      const page = new URLSearchParams({ start: 0, limit: shown, ...(search && { query: search }) });
      const found = await askJson(`api/v1/${search ? 'search' : 'messages'}?${page}`);
      if (isLocked()) return;
      drawList(found, { search, arrived });
      if (isRelay) byId('connection').hidden = true;
    }
  } catch (error) {
    if (error instanceof KeyRefused) lock(KEY_REFUSED);
    else if (error.status === 400) byId('counts').replaceChildren(error.message);
    else byId('connection').hidden = false;
  } finally {
    reloading = false;
  }
};

/** Without events, what was not there the last time has just arrived. */
let known = null;
const arrivedSince = (messages, search) => {
  const ids = messages.map(({ ID }) => ID);
  const fresh = known === null || search ? [] : ids.filter((id) => !known.has(id));
  if (!search) known = new Set(ids);
  return new Set(fresh);
};

const drawList = ({ messages, messages_count: matching, total: all, unread }, { search, arrived: told }) => {
  const arrived = isRelay ? arrivedSince(messages, search) : told;
  total = all;
  drawEmptiness();
  document.title = `${unread > 0 ? `(${unread}) ` : ''}Inbox · Graph Mail Relay`;
  byId('open-clear').disabled = all === 0;
  byId('more').hidden = matching <= messages.length;
  byId('counts').replaceChildren(
    ...(search
      ? [`${matching.toLocaleString('en')} of ${count(all, 'email')} match`]
      : [count(all, 'email'), unread > 0 && element('b', {}, `${unread.toLocaleString('en')} unread`)].filter(
          Boolean,
        )),
  );
  list.draw(messages, { justArrived: arrived });
  const news = messages.find(({ ID }) => arrived.has(ID));
  if (news) byId('announcer').textContent = `New email: ${subjectOf(news)}`;
};

const isLocked = () => document.body.dataset.locked === 'true';

const drawEmptiness = () => {
  const isEmpty = isLocked() || (total === 0 && waiting.length === 0 && openRelayId === null);
  document.body.dataset.empty = String(isEmpty);
  byId('nothing-yet').hidden = !isEmpty;
};

// What the relay has not sent: a look at its ledger, so not with every look at the list.
let looksAtRelay = 0;
const reloadWaiting = async () => {
  looksAtRelay += 1;
  const look = looksAtRelay;
  try {
    const mails = await waitingMails();
    // Asked again since, or locked.
    if (look !== looksAtRelay || isLocked()) return;
    waiting = mails;
    drawWaiting(byId('waiting'), waiting, openRelayId);
    drawEmptiness();
  } catch (error) {
    if (error instanceof KeyRefused) return lock(KEY_REFUSED);
    byId('waiting').hidden = false;
    byId('waiting').replaceChildren(
      element('p', { class: 'counts' }, `What waits at the relay is not known. ${error.message}`),
    );
  }
};

// The mail: the address says which one is open, so the browser's own back button works.
const idInAddress = (kind) => {
  const coded = new RegExp(`^#/${kind}/([^/]+)$`).exec(location.hash)?.[1];
  return coded === undefined ? null : decodeURIComponent(coded);
};

/** What the relay knows of an email, in place of the email. */
const showRelayMail = async (id, { isNew = false } = {}) => {
  document.body.dataset.view = 'mail';
  list.markOpen(null);
  if (isNew) paneSays('Loading…');
  const onChanged = async () => {
    await reloadWaiting();
    await showRelayMail(id);
  };
  try {
    const mail = await relayMail(id);
    if (openRelayId === id) mailPane.replaceChildren(...relayMailView(mail, { onChanged }));
  } catch (error) {
    if (error instanceof KeyRefused) return lock(KEY_REFUSED);
    if (openRelayId === id) paneSays(error.message);
  }
  toTop();
};

/** Words in place of an email, with the way back that a phone needs. */
const paneSays = (words) =>
  mailPane.replaceChildren(
    element('header', { class: 'mail-head' }, element('p', { class: 'mail-actions' }, backLink())),
    element('p', { class: 'choose', role: 'status' }, words),
  );

/** On a phone the email is the whole page, and its title that of the page. */
const toTop = () => {
  mailPane.scrollTop = 0;
  if (byId('list').offsetParent !== null) return;
  for (const [level, tag] of ['h2', 'h3'].entries())
    for (const heading of mailPane.querySelectorAll(tag)) heading.setAttribute('aria-level', level + 1);
  mailPane.focus();
};

const showMail = async () => {
  const id = idInAddress('mail');
  const before = openId;
  const relayBefore = openRelayId;
  openId = id;
  openRelayId = idInAddress('relay');
  drawEmptiness();
  drawWaiting(byId('waiting'), waiting, openRelayId);
  if (openRelayId !== null) return showRelayMail(openRelayId, { isNew: openRelayId !== relayBefore });
  document.body.dataset.view = id === null ? 'list' : 'mail';
  list.markOpen(id);
  if (id === null) {
    mailPane.replaceChildren(chooseOne());
    if (before !== null) {
      list.focus(before);
      list.reveal(before);
    }
    if (relayBefore !== null) focusWaiting(byId('waiting'), relayBefore);
    return;
  }
  if (id !== before) paneSays('Loading…');
  try {
    const path = `api/v1/message/${encodeURIComponent(id)}`;
    const [message, headers, graph, context] = await Promise.all([
      askJson(path),
      askJson(`${path}/headers`),
      askJson(`${path}/graph`),
      askJson(`${VIEWS}/${encodeURIComponent(id)}/context`),
    ]);
    if (openId !== id) return;
    const onDelete = async () => {
      await change('DELETE', { IDs: [id] });
      // Nobody tells it of what it did itself.
      if (isRelay) removed([id]);
    };
    mailPane.replaceChildren(...mailView({ message, headers, graph, context }, { onDelete }));
  } catch (error) {
    if (error instanceof KeyRefused) return lock(KEY_REFUSED);
    if (openId === id) paneSays('This email is not in the inbox.');
  }
  list.reveal(id);
  toTop();
};

const chooseOne = () =>
  element(
    'p',
    { class: 'choose' },
    'Choose an email, or press ',
    element('kbd', {}, 'j'),
    ' for the newest.',
  );

// What happens meanwhile.
const removed = (ids) => {
  if (ids.includes(openId)) location.hash = '#/';
  reload();
};

const listen = () => {
  const events = new EventSource('/events');
  events.addEventListener('open', () => {
    byId('connection').hidden = true;
    reload();
    reloadWaiting();
  });
  events.addEventListener('error', () => {
    byId('connection').hidden = false;
  });
  events.addEventListener('message', ({ data }) => {
    const { kind, ids } = JSON.parse(data);
    if (kind === 'relay') {
      reloadWaiting();
      if (openRelayId !== null) showRelayMail(openRelayId);
      return;
    }
    if (kind === 'captured') for (const id of ids) justArrived.add(id);
    if (kind === 'removed') return removed(ids);
    if (kind === 'described' && ids.includes(openId)) showMail();
    reload();
  });
};

// What people do.
window.addEventListener('hashchange', showMail);

byId('more').addEventListener('click', () => {
  shown += PAGE_SIZE;
  reload();
});

let pause;
searchField.addEventListener('input', () => {
  clearTimeout(pause);
  pause = setTimeout(() => {
    shown = PAGE_SIZE;
    reload();
  }, PAUSE_IN_TYPING_MS);
});

byId('open-help').addEventListener('click', () => byId('help').showModal());

byId('open-clear').addEventListener('click', () => {
  byId('clear-text').textContent = isRelay
    ? `This deletes ${count(total, 'captured email')}, and older ones that are not listed. The ledger keeps their rows.`
    : `This deletes ${count(total, 'email')} from this inbox and its folder. Emails on the queue stay.`;
  byId('clear').returnValue = '';
  byId('clear').showModal();
});
byId('clear').addEventListener('close', () => {
  if (byId('clear').returnValue === 'delete') change('DELETE', {}).then(() => isRelay && removed([openId]));
});

const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  '/': () => searchField.select(),
  Escape: () => {
    location.hash = '#/';
  },
};

/** With a mail open it turns the page; without one it only moves, and Enter opens. */
const go = (step) => {
  const id = list.neighbour(step);
  if (id === undefined) return;
  if (openId !== null) location.hash = `#/mail/${encodeURIComponent(id)}`;
  list.focus(id);
  list.reveal(id);
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.target.matches?.('input, textarea')) {
    if (event.key !== 'Escape') return;
    event.target.value = '';
    event.target.blur();
    reload();
    return;
  }
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// The page of a relay: a key first, then a look at what there is now and then.
const KEY_REFUSED =
  'The relay does not accept this key. Use the master key (_master), not a function key of an application.';
/** What a header can carry. */
const KEY_FORM = /^[\x21-\x7e]+$/;

const lock = (words) => {
  forgetKey();
  document.body.dataset.locked = 'true';
  list.draw([]);
  waiting = [];
  openRelayId = null;
  drawWaiting(byId('waiting'), waiting, null);
  mailPane.replaceChildren();
  location.hash = '#/';
  byId('counts').replaceChildren();
  byId('capturing').hidden = true;
  document.title = 'Inbox · Graph Mail Relay';
  document.body.dataset.empty = 'true';
  byId('nothing-yet').hidden = false;
  byId('nothing-yet').replaceChildren(keyEntry(tryKey, words));
  byId('master-key').focus();
};

const tryKey = async (key) => {
  if (!KEY_FORM.test(key)) return 'This is not a key: expected letters, digits and signs without blanks.';
  keepKey(key);
  try {
    await openCaptured();
    return undefined;
  } catch (error) {
    if (error instanceof KeyRefused) {
      forgetKey();
      return KEY_REFUSED;
    }
    return `The relay does not respond as expected. ${error.message}`;
  }
};

const openCaptured = async () => {
  const { Capturing: capturing } = await askJson('api/v1/info');
  delete document.body.dataset.locked;
  const words = byId('capturing');
  words.replaceChildren(...capturingWords(capturing));
  words.classList.toggle('sends', capturing === 'nothing' || capturing === 'other-recipients');
  words.hidden = false;
  byId('nothing-yet').replaceChildren(...nothingCaptured(capturing));
  await Promise.all([reload(), reloadWaiting()]);
  await showMail();
};

const lookAgain = async () => {
  if (document.visibilityState !== 'visible' || isLocked()) return;
  await reload();
};

const startRelayInbox = async () => {
  // The address of the page can be without the slash that links within it need.
  history.replaceState(null, '', new URL(location.hash || '#/', document.baseURI));
  byId('open-help').hidden = true;
  byId('lock').hidden = false;
  byId('lock').addEventListener('click', () => lock());
  setInterval(lookAgain, LOOK_AGAIN_MS);
  document.addEventListener('visibilitychange', async () => {
    await lookAgain();
    if (document.visibilityState === 'visible' && !isLocked()) await reloadWaiting();
  });
  if (!hasKey()) return lock();
  await openCaptured().catch((error) => lock(error instanceof KeyRefused ? KEY_REFUSED : error.message));
};

if (isRelay) await startRelayInbox();
else {
  listen();
  const firstMail = await askJson('first-mail');
  byId('nothing-yet').replaceChildren(...nothingYet(firstMail));
  byId('help-content').replaceChildren(firstSteps(firstMail));
  showMail();
}
