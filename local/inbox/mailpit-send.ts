import { z } from 'zod';
import { parseBody } from '../../src/lib/inbox/api-input.ts';
import { type Answer, toJson } from '../../src/lib/inbox/inbox-api.ts';
import { InboxProblem } from '../../src/lib/inbox/inbox-problem.ts';
import { callRelay, type LocalRelay } from './relay-client.ts';

/** More than the relay accepts, which says so better. */
const MOST_BYTES = 40_000_000;

const address = z.strictObject({ Email: z.string(), Name: z.string().default('') });
const addresses = z
  .array(address)
  .nullish()
  .transform((list) => list ?? []);
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

/** The body of Mailpit's POST /api/v1/send (https://mailpit.axllent.org/docs/api-v1/view.html). */
const mailpitMail = z.strictObject({
  From: address,
  To: addresses,
  Cc: addresses,
  Bcc: texts,
  ReplyTo: addresses,
  Subject: z.string().default(''),
  Text: z.string().default(''),
  HTML: z.string().default(''),
  Headers: z.record(z.string(), z.string()).nullish(),
  Tags: texts,
  Attachments: z
    .array(
      z.strictObject({
        Filename: z.string(),
        Content: z.string(),
        ContentType: z.string().default(''),
        ContentID: z.string().default(''),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
});

/**
 * Sends an email as Mailpit would keep it: through the relay, with everything that the relay checks and does. The ID is that of the
 * relay; the inbox knows the email by it once Graph has accepted it. Throws an InboxProblem.
 */
export const sendAsMailpit = async ({
  relay,
  readUpTo,
}: {
  readonly relay?: LocalRelay | undefined;
  readonly readUpTo: (bytes: number) => Promise<string>;
}): Promise<Answer> => {
  const mail = parseBody(await readUpTo(MOST_BYTES), mailpitMail);
  const body = JSON.stringify(toRelayMail(mail));
  const accepted = await callRelay(relay, { method: 'POST', path: '/api/mail', key: 'functionKey', body });
  const { id } = accepted as { readonly id?: unknown };
  if (typeof id !== 'string') throw new InboxProblem(502, 'The relay accepted the email without an id.');
  return toJson({ ID: id });
};

const toPerson = ({ Email, Name }: z.output<typeof address>) =>
  Name === '' ? { address: Email } : { name: Name, address: Email };

const toRelayMail = ({
  From,
  To,
  Cc,
  Bcc,
  ReplyTo,
  Subject,
  Text,
  HTML,
  Headers,
  Tags,
  Attachments,
}: z.output<typeof mailpitMail>) => ({
  from: toPerson(From),
  to: To.map(toPerson),
  cc: Cc.map(toPerson),
  bcc: Bcc.map((one) => ({ address: one })),
  replyTo: ReplyTo.map(toPerson),
  subject: Subject,
  // The relay wants a body; Mailpit keeps an email without one.
  ...(Text !== '' || HTML === '' ? { text: Text } : {}),
  ...(HTML === '' ? {} : { html: HTML }),
  ...(Headers ? { headers: Headers } : {}),
  tags: Tags,
  attachments: Attachments.map(({ Filename, Content, ContentType, ContentID }) => ({
    filename: Filename,
    // As browsers give files: data:image/png;base64,...
    content: Content.slice(Content.lastIndexOf(',') + 1),
    ...(ContentType === '' ? {} : { contentType: ContentType }),
    ...(ContentID === '' ? {} : { cid: ContentID }),
  })),
});
