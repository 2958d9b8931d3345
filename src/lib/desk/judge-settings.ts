import type { DoctorSettings } from './doctor-facts.ts';
import { type Finding, ok, warning } from './finding.ts';

/** What the settings alone tell: each that is invalid, and those that keep emails from being sent. */
export const judgeSettings = (settings: DoctorSettings): readonly Finding[] => [
  ...validity(settings),
  ...(settings.isSendingOn === false
    ? [
        warning(
          { check: 'sending' },
          'Sending is switched off (MAIL_ENABLED=false). HTTP callers get 503, and queued emails wait.',
          'Switch it on again with the setting MAIL_ENABLED=true.',
        ),
      ]
    : []),
  ...settings.safety.map((sentence) =>
    warning(
      { check: 'test-environment' },
      sentence,
      'In a test environment, nothing. In production, remove the setting.',
    ),
  ),
  ...proxy(settings),
];

const validity = ({ problems, strayNames }: DoctorSettings): readonly Finding[] => [
  ...problems.map(
    ({ pointer, expected, received }): Finding => ({
      check: 'settings',
      subject: pointer,
      state: 'failed',
      seen: `Expected ${expected}; received ${received}. Until every setting is valid, nothing is sent.`,
      remedy: 'Correct the app setting. Azure then restarts the app. docs/settings.md has every setting.',
      code: 'SETTINGS_INVALID',
    }),
  ),
  ...(problems.length === 0 ? [ok({ check: 'settings' }, 'Every setting is valid.')] : []),
  ...(strayNames.length === 0
    ? []
    : [
        warning(
          { check: 'settings', subject: strayNames.join(', ') },
          'The relay has no setting of this name and ignores it.',
          'Correct the name as in docs/settings.md, or remove the app setting.',
        ),
      ]),
];

const proxy = ({ proxyHost }: DoctorSettings): readonly Finding[] =>
  proxyHost === undefined ? [] : [ok({ check: 'proxy' }, `Requests go through the proxy ${proxyHost}.`)];
