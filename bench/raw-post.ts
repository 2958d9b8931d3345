import type { BenchCloud } from './cloud.ts';
import { MAILBOXES, mailboxOf, sampleGraphBody } from './sample-mail.ts';

/** Posts what the relay would post, straight to the Graph stand-in: the 1.0 of the bench. */
export const openRawPost = async (
  cloud: BenchCloud,
): Promise<(index: number, among?: number) => Promise<void>> => {
  const headers = {
    authorization: `Bearer ${await cloud.readToken()}`,
    'content-type': 'application/json',
  };
  const bodies = new Map(MAILBOXES.map((mailbox) => [mailbox, sampleGraphBody(mailbox)]));
  return async (index, among) => {
    const mailbox = mailboxOf(index, among);
    const path = `/v1.0/users/${encodeURIComponent(mailbox)}/sendMail`;
    const { status, text } = await cloud.graph.send('POST', path, headers, bodies.get(mailbox));
    if (status !== 202) throw new Error(`The Graph stand-in returned ${status} instead of 202: ${text}`);
  };
};
