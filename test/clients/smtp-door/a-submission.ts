import type { Submission } from '../../../clients/smtp-door/src/submission.ts';

let count = 0;

/** A submission with an id and a key of its own. */
export const aSubmission = (change: Partial<Submission> = {}): Submission => {
  count += 1;
  return {
    id: `id-${count}`,
    account: 'scanner',
    idempotencyKey: `key-${count}`,
    receivedAt: new Date(Date.UTC(2026, 10, 26, 10) + count),
    contentType: 'message/rfc822',
    body: Buffer.from(`Subject: ${count}\r\n\r\nText\r\n`),
    ...change,
  };
};
