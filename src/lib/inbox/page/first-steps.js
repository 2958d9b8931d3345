import { copyButton, element } from './elements.js';

/** What to paste for a first mail, and where everything is. */
export const firstSteps = ({ endpoint, functionKey, curl }) =>
  element(
    'div',
    { class: 'first-steps' },
    element(
      'div',
      { class: 'terminal' },
      element('pre', { tabindex: '0', 'aria-label': 'Command for a terminal' }, element('code', {}, curl)),
      copyButton('Copy', () => curl),
    ),
    element(
      'dl',
      { class: 'facts' },
      fact('Endpoint', endpoint),
      fact('Function key', functionKey),
      fact('For your tests', `${location.origin}/api/v1/messages`, 'a part of the API of Mailpit'),
    ),
  );

const fact = (name, value, note) =>
  element(
    'div',
    {},
    element('dt', {}, name),
    element('dd', {}, element('code', {}, value), note && element('small', {}, note)),
  );

/** For an inbox in which nothing has arrived yet. */
export const nothingYet = (firstMail) => [
  element('img', { src: 'icon.svg', alt: '', width: '64', height: '64' }),
  element('h2', {}, 'Nothing has been sent yet'),
  ...(firstMail.on ?? []).map((words) => element('p', { class: 'on' }, words)),
  element(
    'p',
    { class: 'lead' },
    'Emails that the relay sends on this machine appear here and go nowhere else. To send one, paste this into a terminal.',
  ),
  firstSteps(firstMail),
];
