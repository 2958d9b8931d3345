import type { IncomingHttpHeaders } from 'node:http';
import type { CapturedMail } from '../../src/lib/inbox/captured-mail.ts';
import type { GraphState, MailboxCall } from './call.ts';

/** What is sent, whichever way it came. */
export type Submission = Pick<CapturedMail, 'id' | 'internetMessageId' | 'via'> & {
  readonly body: CapturedMail['request']['body'];
  readonly details: Pick<CapturedMail, 'mime' | 'text' | 'calendar' | 'inReplyTo' | 'references' | 'headers'>;
};

/** Takes an email for sending: on disk before anything is answered. */
export const acceptMail = async (
  call: MailboxCall,
  graph: GraphState,
  { id, via, internetMessageId = '', body, details }: Submission,
): Promise<void> => {
  const mail: CapturedMail = {
    id,
    acceptedAt: graph.now().toISOString(),
    mailbox: call.mailbox.address,
    graphRequestId: call.ids.requestId,
    request: {
      method: 'POST',
      path: call.url.pathname,
      headers: withoutSecrets(call.request.headers),
      body,
    },
    ...(via && { via }),
    internetMessageId,
    ...details,
    ...(details.headers && { headers: withMessageId(details.headers, internetMessageId) }),
  };
  await graph.capture(mail);
  call.seen.accepted = true;
  graph.sentItems.keep(mail);
  graph.traces.keep(mail);
  graph.received.answer(mail, graph.now());
};

/** Recipients see the Message-ID that the email has in the end. */
const withMessageId = (headers: NonNullable<CapturedMail['headers']>, id: string) => [
  ...headers.filter(({ name }) => name.toLowerCase() !== 'message-id'),
  { name: 'Message-ID', value: id },
];

const withoutSecrets = ({ authorization, ...headers }: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
