/** Of these nobody knows whether Graph sent the email, or another with the same content was sent: as the operator page has them. */
const IN_DOUBT = new Set(['OUTCOME_UNKNOWN', 'ATTEMPT_LOST', 'HOST_GAVE_UP', 'MAIL_KEY_IN_USE']);

/** Whether a held email may have been sent already, so that a replay may send it twice. */
export const mayBeSent = ({ reason, timeline }) =>
  IN_DOUBT.has(reason?.code) ||
  timeline.findLast(({ event }) => event.startsWith('attempt '))?.event === 'attempt unknown';
