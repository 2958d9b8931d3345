import fc from 'fast-check';
import { decodeWords } from 'postal-mime';
import { expect, test } from 'vitest';
import { readAttachment } from '../../../local/inbox/attachment-content.ts';
import type { CapturedMail, GraphRecipient } from '../../../src/lib/inbox/captured-mail.ts';
import type { Mail } from '../../../src/lib/mail/mail-schema.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import type { DraftPlan } from '../../../src/lib/sending/send-plan.ts';
import { graphForTests } from '../../local/graph/graph-for-tests.ts';
import { TEST_MS } from '../../support/patience.ts';
import { MAILBOX } from '../graph/graph-call-for-tests.ts';
import { draftsOn, sendAsDraft } from '../graph/send-through-graph.ts';
import { anyMail, asAddress, asLine, asText, contentOf, tryToRead } from './any-mail.ts';

const SENDER = { name: 'Contoso 薪資', address: MAILBOX };
const EXACT = { largeAttachments: true, delivery: 'exact' } as const;
const RUNS = 100;
/** Of the emails generated; the others are refused. */
const LEAST_VALID = 30;

const anyThread = fc.option(
  fc.record({ inReplyTo: fc.constant('<a@b.cc>'), references: fc.constant(['<1@b.cc>', '<2@b.cc>']) }),
  { nil: undefined },
);

/** Which of the files are in a blob and not in the email. */
const anyPlaces = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });

/** The same mail with some of its files in blobs, and these. */
const putInBlobs = (mail: Mail, places: readonly boolean[]) => {
  const blobs = new Map<string, Buffer>();
  const attachments = mail.attachments.map((file, index) => {
    if (places[index] !== true || !('content' in file)) return file;
    const { content: _, ...rest } = file;
    const blob = `${index}.bin`;
    blobs.set(blob, Buffer.from(contentOf(file), 'base64'));
    return { ...rest, blob };
  });
  return { mail: { ...mail, attachments }, blobs };
};

/** Sends each valid email as a draft through the relay's own requests, and hands over what the stand-in sent for it. */
const forEachDraft = async (
  form: DraftPlan['message']['contentType'],
  emails: fc.Arbitrary<Mail | undefined>,
  compare: (mail: Mail, sent: CapturedMail) => void,
): Promise<void> => {
  const graph = await graphForTests();
  const drafts = draftsOn(graph);
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(emails, anyPlaces, async (mail, places) => {
      if (mail === undefined) return;
      valid += 1;
      const earlier = graph.captured.length;
      const inBlobs = putInBlobs(mail, places);
      const { mailId, plan, outcome } = await sendAsDraft(drafts, inBlobs.mail, {
        policy: EXACT,
        sender: SENDER,
        blobs: inBlobs.blobs,
      });
      expect(plan.message.contentType).toBe(form);
      expect(outcome).toMatchObject({ kind: 'accepted' });
      const [sent, ...more] = graph.captured.slice(earlier);
      expect([sent?.via, more, await drafts.listOf(MAILBOX, mailId)]).toEqual(['draft', [], []]);
      const { singleValueExtendedProperties: properties, attachments = [] } = sent!.request.body.message;
      expect(properties).toContainEqual({ id: RELAY_ID_PROPERTY, value: mailId });
      expect(await Promise.all(attachments.map((file) => readAttachment(sent!, file)))).toEqual(
        mail.attachments.map((file) => Buffer.from(contentOf(file), 'base64')),
      );
      expect(
        attachments.map(({ name, contentType, contentId, isInline = false }) => [
          name,
          contentType,
          contentId,
          isInline,
        ]),
      ).toEqual(
        mail.attachments.map(({ filename, contentType, cid }) => [
          filename,
          contentType,
          cid,
          cid !== undefined,
        ]),
      );
      compare(mail, sent!);
    }),
    { numRuns: RUNS },
  );
  expect(valid).toBeGreaterThan(LEAST_VALID);
};

const asGraph = (people: Mail['to']) => people.map((emailAddress) => ({ emailAddress }));
const asPeople = (recipients: readonly GraphRecipient[] = []) =>
  recipients.map(({ emailAddress }) => asAddress(emailAddress));

test('whatever email JSON can express, the draft that is sent for it says the same', {
  timeout: TEST_MS,
}, async () => {
  const emails = fc.tuple(anyMail('x'), fc.boolean()).map(([{ text, headers, ...rest }, isPlain]) => {
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => /^x-/i.test(name)));
    const mail = tryToRead({ ...rest, text: '', headers: own });
    if (mail === undefined || !isPlain) return mail;
    const { html: _, ...plain } = mail;
    return { ...plain, text, attachments: mail.attachments.filter(({ cid }) => cid === undefined) };
  });
  await forEachDraft('application/json', emails, (mail, { request }) => {
    const { message } = request.body;
    expect(message).toMatchObject({
      subject: mail.subject,
      body:
        mail.html === undefined
          ? { contentType: 'text', content: mail.text }
          : { contentType: 'html', content: mail.html },
      from: { emailAddress: SENDER },
      toRecipients: asGraph(mail.to),
    });
    expect([message.ccRecipients ?? [], message.bccRecipients ?? [], message.replyTo ?? []]).toEqual(
      [mail.cc, mail.bcc, mail.replyTo].map(asGraph),
    );
    expect(message.internetMessageHeaders ?? []).toEqual(mail.headers);
  });
});

test('whatever email needs MIME, the draft that is sent for it says the same', {
  timeout: TEST_MS,
}, async () => {
  const emails = fc.tuple(anyMail('x'), anyThread).map(([input, thread]) => {
    const mail = tryToRead(input);
    return mail && (mail.text === undefined ? undefined : { ...mail, ...thread });
  });
  await forEachDraft('text/plain', emails, (mail, sent) => {
    const { message } = sent.request.body;
    expect([message.toRecipients, message.ccRecipients, message.bccRecipients].map(asPeople)).toEqual(
      [mail.to, mail.cc, mail.bcc].map((people) => people.map(asAddress)),
    );
    expect(asPeople(message.replyTo)).toEqual(mail.replyTo.map(asAddress));
    expect(message.from).toEqual({ emailAddress: SENDER });
    expect(asLine(message.subject ?? '')).toBe(asLine(mail.subject));
    expect([asText(sent.text), asText(message.body?.content)]).toEqual([
      asText(mail.text),
      asText(mail.html),
    ]);
    expect([sent.inReplyTo, sent.references ?? []]).toEqual([mail.inReplyTo, mail.references]);
    for (const { name, value } of mail.headers) expect(valuesOf(sent, name)).toEqual([asLine(value)]);
  });
});

const valuesOf = ({ headers = [] }: CapturedMail, wanted: string): readonly string[] =>
  headers
    .filter(({ name }) => name.toLowerCase() === wanted.toLowerCase())
    .map(({ value }) => asLine(decodeWords(value)));
