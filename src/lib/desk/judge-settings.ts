import type { Problem } from '../errors.ts';
import type { DoctorSettings } from './doctor-facts.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

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

const NOTHING_IS_SENT = 'Until every setting is valid, nothing is sent.';
const OTHERS_ARE_SENT =
  'Until then, emails of the senders of this connection are refused, and all others are sent.';

const invalid =
  (effect: string) =>
  ({ code, pointer, expected, received }: Problem): Finding => ({
    ...failed(
      { check: 'settings', subject: pointer },
      `Expected ${expected}; received ${received}. ${effect}`,
      'Correct the app setting. Azure then restarts the app. docs/settings.md has every setting.',
    ),
    code,
  });

const validity = ({ problems, connectionProblems, strayNames }: DoctorSettings): readonly Finding[] => [
  ...problems.map(invalid(NOTHING_IS_SENT)),
  ...connectionProblems.map(invalid(OTHERS_ARE_SENT)),
  ...(problems.length + connectionProblems.length === 0
    ? [ok({ check: 'settings' }, 'Every setting is valid.')]
    : []),
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
