import { element } from './elements.js';
import { graphRequest, headerTable } from './graph-request.js';
import { showFrame, VIEWS } from './inbox-access.js';

/** Links open in a new tab; scripts, forms and the inbox's own origin are out of the mail's reach. */
const FRAME_SANDBOX = 'allow-popups allow-popups-to-escape-sandbox';

const REMOTE_IMAGE = /(?:\b(?:src|srcset|background|poster)\s*=\s*["']?|url\(\s*["']?)\s*(?:https?:)?\/\//i;

/** Columns made with spaces, as scripts do: they only stand below each other in a fixed-width font. */
const ALIGNED = /\S {3,}\S|\S\t+\S/;

let lastChosen = null;

/** The email's body in the ways it can be looked at: only those it has. */
export const mailTabs = ({ message, headers, graph, invitation }) => {
  const tabs = [
    message.HTML && { id: 'html', label: 'HTML', draw: () => htmlPanel(message) },
    message.Text && { id: 'text', label: 'Text', draw: () => textPanel(message.Text) },
    message.HTML && {
      id: 'source',
      label: 'HTML source',
      draw: () => sourcePanel('HTML source', message.HTML),
    },
    invitation && { id: 'calendar', label: 'Calendar', draw: () => sourcePanel('Calendar', invitation.ics) },
    { id: 'headers', label: 'Headers', draw: () => headersPanel(headers, graph) },
    { id: 'graph', label: 'Graph request', draw: () => [graphRequest(message.ID, graph)] },
  ].filter(Boolean);

  const panel = element('div', { class: 'panel', role: 'tabpanel', id: 'panel' });
  const buttons = tabs.map(({ id, label }) =>
    element('button', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': 'panel' }, label),
  );

  const choose = (index) => {
    for (const [place, button] of buttons.entries()) {
      button.setAttribute('aria-selected', String(place === index));
      button.tabIndex = place === index ? 0 : -1;
    }
    panel.dataset.tab = tabs[index].id;
    panel.setAttribute('aria-labelledby', buttons[index].id);
    panel.replaceChildren(...tabs[index].draw());
  };

  for (const [index, button] of buttons.entries())
    button.addEventListener('click', () => {
      lastChosen = tabs[index].id;
      choose(index);
    });
  const list = element(
    'div',
    { class: 'tabs', role: 'tablist', 'aria-label': 'Views of the email' },
    ...buttons,
  );
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length);
    next.focus();
    next.click();
  });

  const remembered = tabs.findIndex(({ id }) => id === lastChosen);
  choose(Math.max(remembered, 0));
  return [list, panel];
};

const htmlPanel = (message) => {
  const source = `${VIEWS}/${encodeURIComponent(message.ID)}/html`;
  const frame = element('iframe', {
    title: 'The email as the recipient sees it',
    sandbox: FRAME_SANDBOX,
  });
  showFrame(frame, source);
  if (!REMOTE_IMAGE.test(message.HTML)) return [frame];
  const toggle = element('input', {
    type: 'checkbox',
    role: 'switch',
    on: {
      change: (event) => {
        showFrame(frame, event.target.checked ? `${source}?remote-images=load` : source);
      },
    },
  });
  return [
    element(
      'p',
      { class: 'remote' },
      element('label', {}, toggle, ' Load remote images'),
      element('span', {}, 'Other servers send these images and then know that you opened the email.'),
    ),
    frame,
  ];
};

const textPanel = (text) => [
  element('pre', { class: ALIGNED.test(text) ? 'text aligned' : 'text', dir: 'auto' }, text),
];

const sourcePanel = (label, text) => [
  element(
    'div',
    { class: 'code' },
    element('pre', { tabindex: '0', 'aria-label': label }, element('code', {}, text)),
  ),
];

const headersPanel = (headers, { mime }) => [
  headerTable(Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value]))),
  element(
    'p',
    { class: 'note' },
    mime === undefined
      ? 'The headers that the relay requested and recipients see. Exchange adds its own, such as Received.'
      : 'The headers of the MIME message that recipients see. Exchange adds its own, such as Received, and removes Bcc.',
  ),
];
