import { element } from './elements.js';

/** The form for the master key of a relay; `onKey` is asked with it, and says what is wrong with it, if anything is. */
export const keyEntry = (onKey, words = '') => {
  const problem = element('p', { class: 'key-problem', role: 'alert', hidden: words === '' }, words);
  const field = element('input', {
    id: 'master-key',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
  });
  const open = element('button', { type: 'submit', class: 'primary' }, 'Show the emails');
  const submit = async (event) => {
    event.preventDefault();
    open.disabled = true;
    const wrong = await onKey(field.value.trim());
    open.disabled = false;
    problem.hidden = wrong === undefined;
    problem.textContent = wrong ?? '';
    if (wrong !== undefined) field.select();
  };
  return element(
    'form',
    { class: 'key-entry', on: { submit } },
    element('img', { src: 'icon.svg', alt: '', width: '64', height: '64' }),
    element('h2', {}, 'Captured emails'),
    element(
      'p',
      { class: 'lead' },
      'This page shows the emails that a test environment captured instead of sending them. Enter the master key: the key named _master under App keys of the function app.',
    ),
    element('label', { for: 'master-key' }, 'Master key'),
    field,
    problem,
    open,
    element('p', { class: 'note' }, 'The key stays in this tab until you close it, or lock the page.'),
  );
};

/** Where nothing was captured: whether anything will be. */
export const nothingCaptured = (capturing) => [
  element('img', { src: 'icon.svg', alt: '', width: '64', height: '64' }),
  element('h2', {}, capturing === 'nothing' ? 'Nothing is captured here' : 'Nothing was captured yet'),
  element('p', { class: 'lead' }, ...capturingWords(capturing)),
];

/** What the settings of the relay mean for an email that it receives now. */
export const capturingWords = (capturing) => {
  const code = (text) => element('code', {}, text);
  switch (capturing) {
    case 'everything':
      return [
        'The relay sends nothing. Every email that it receives appears here, because ',
        code('MAIL_CAPTURE'),
        ' is true.',
      ];
    case 'other-recipients':
      return [
        'Emails with a recipient outside ',
        code('MAIL_RECIPIENT_DOMAINS'),
        ' appear here, because ',
        code('MAIL_OTHER_RECIPIENTS'),
        ' is capture. ',
        element('b', {}, 'All others are sent.'),
      ];
    case 'nothing':
      return [
        element('b', {}, 'The relay sends the emails that it receives.'),
        ' To keep them here, set ',
        code('MAIL_CAPTURE'),
        ' to true.',
      ];
    default:
      return [
        'The settings of the relay are not valid, so it sends and captures nothing. Its log says which, in the event SettingsInvalid.',
      ];
  }
};
