import type { Settings } from './settings.ts';

/** The settings that keep the emails of a test environment from its recipients, with what each does. The first that is on decides. */
const SAFETY_WORDS = {
  MAIL_CAPTURE: 'No email is sent: the relay keeps each of them for the inbox page.',
  MAIL_REDIRECT_TO: 'Every email goes to the address in this setting instead of its recipients.',
  MAIL_RECIPIENT_DOMAINS: 'No email goes to a recipient outside this setting.',
} as const;

export type SafetySetting = keyof typeof SAFETY_WORDS;

/** Those that are on, in the order in which they decide. */
export const safetyOn = ({
  MAIL_CAPTURE,
  MAIL_REDIRECT_TO,
  MAIL_RECIPIENT_DOMAINS,
}: Pick<Settings, SafetySetting>): readonly SafetySetting[] => [
  ...(MAIL_CAPTURE ? (['MAIL_CAPTURE'] as const) : []),
  ...(MAIL_REDIRECT_TO === undefined ? [] : (['MAIL_REDIRECT_TO'] as const)),
  ...(MAIL_RECIPIENT_DOMAINS === undefined ? [] : (['MAIL_RECIPIENT_DOMAINS'] as const)),
];

/** What to tell people of settings that are on; a later version of the relay may know others. */
export const safetyLines = (names: readonly string[]): readonly string[] =>
  names.map((name) =>
    `${name} is on. ${name in SAFETY_WORDS ? SAFETY_WORDS[name as SafetySetting] : ''}`.trim(),
  );
