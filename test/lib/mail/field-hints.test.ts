import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aFile, aMail } from '../../support/a-mail.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { errorOf } from '../../support/problems-of.ts';

const hintsOf = (override: Record<string, unknown>) =>
  (errorOf(() => readMail(aMail(override))).facts.problems ?? [])
    .filter(({ code }) => code === 'FIELD_UNKNOWN')
    .map(({ expected }) => /; did you mean (.*)\?$/.exec(expected)?.[1]);

describe('a field of another product gets the name that it has here', () => {
  test.each([
    ['reply_to', '`replyTo`'],
    ['reply-to', '`replyTo`'],
    ['body', '`text` or `html`'],
    ['content', '`text` or `html`'],
    ['htmlBody', '`html`'],
    ['HtmlBody', '`html`'],
    ['text_body', '`text`'],
    ['scheduledAt', '`sendAt`'],
    ['send-later', '`sendAt`'],
    ['template', '`text` or `html` with the finished text, as the relay has no templates'],
    ['To', '`to`'],
    ['From', '`from`'],
    ['recipients', '`to`'],
    ['attachment', '`attachments`'],
    ['cc_recipients', '`cc`'],
    ['internetMessageHeaders', '`headers`'],
    ['in_reply_to', '`inReplyTo`'],
    ['icalEvent', '`calendar`'],
    ['raw', '`mime`'],
    ['categories', '`tags`'],
    ['idempotency_key', '`idempotencyKey`'],
    ['mailPriority', '`importance`'],
    ['x-priority', '`importance`'],
    ['sendPriority', '`priority`'],
    ['prioriy', '`priority`'],
    ['subjct', '`subject`'],
    ['subejct', '`subject`'],
    ['atachments', '`attachments`'],
    ['htmls', '`html`'],
  ])('%s: %s', (name, ours) => {
    expect(hintsOf({ [name]: 'x' })).toEqual([ours]);
  });

  test.each([
    ['fileName', '`filename`'],
    ['name', '`filename`'],
    ['content_type', '`contentType`'],
    ['type', '`contentType`'],
    ['contentBytes', '`content`'],
    ['contentId', '`cid`'],
  ])('in a file, %s: %s', (name, ours) => {
    expect(hintsOf({ attachments: [aFile({ [name]: 'x' })] })).toEqual([ours]);
  });

  test('in a recipient and in a calendar', () => {
    expect(hintsOf({ to: { email: 'a@b.cc' } })).toEqual(['`address`']);
    expect(hintsOf({ calendar: { method: 'REQUEST', ics: anInvitation(), icalEvent: 1 } })).toEqual([
      '`ics`',
    ]);
  });

  test.each(['zzz', 'id', 'bc', 'campaign'])('a name that is near to nothing gets no hint: %s', (name) => {
    expect(hintsOf({ [name]: 'x' })).toEqual([undefined]);
  });
});
