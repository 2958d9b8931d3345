import type { Caller } from '../callers/caller.ts';

/**
 * The warning to the owner of a caller, as an email. The same all day, so that two instances that write it write one email: it has
 * neither numbers nor times of the moment.
 */
export const toLimitWarning = ({ name, knownAs }: Caller, owner: string, day: string) => ({
  to: [owner],
  subject: `The caller ${knownAs} has reached its daily limit (${day})`,
  text: [
    `The caller ${knownAs} has reached its daily limit of emails or recipients on ${day} (UTC).`,
    ...(name === knownAs ? [] : ['', `It sends with a function key of its own: ${name}.`]),
    '',
    'Until midnight UTC, the relay returns 429 (CALLER_LIMIT_REACHED) for its further emails by HTTP and accepts none of them.',
    'Its emails from the queue wait and are sent when the limit allows. After five days, the relay holds them.',
    'Nothing that the relay accepted is lost.',
    '',
    'If the application should send this much, ask an administrator of the relay to raise the limit:',
    '',
    `  npm run callers -- show ${knownAs}`,
    `  npm run callers -- limit ${knownAs} --mails-per-day NUMBER --recipients-per-day NUMBER`,
    '',
    'If it should not, find out what it sends: it can be an error in the application, or a key that leaked.',
    '',
    'Sent by Graph Mail Relay, once a day at most for each caller.',
  ].join('\n'),
});
