import { defined } from '../defined.ts';
import { describe } from '../describe.ts';
import { type AppError, type Problem, problemsError } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { isBase64Text } from '../mail/base64-text.ts';
import type { TranslatedMail } from './facade.ts';
import { fieldProblems, requireNone } from './field-rules.ts';
import { readAttachments } from './resend-attachments.ts';
import { EMAIL_RULES, theirField, UPDATE_RULES } from './resend-fields.ts';
import { readHeaders } from './resend-headers.ts';
import { readDistance, readScheduledAt } from './resend-scheduled-at.ts';
import { readTags } from './resend-tags.ts';

export type TranslateOptions = {
  /** The moment at a distance from now, for `in 1 min`. */
  readonly after: (milliseconds: number) => Date;
  /** Its place in a batch, such as 2. */
  readonly index?: number;
};

const isMissing = (value: unknown): boolean =>
  value === undefined || isAbsent(value) || (Array.isArray(value) && value.every(isAbsent));

/** What Resend requires; an empty subject is one, and which body is there the rules of an email ask. */
function* missingFields(email: Readonly<Record<string, unknown>>, place: string): Generator<Problem> {
  const missing = (field: string, expected: string): Problem => ({
    code: field === 'to' ? 'RECIPIENT_MISSING' : 'FIELD_INVALID',
    pointer: `${place}${field}`,
    expected,
    received: describe(email[field]),
  });
  if (isMissing(email.from)) yield missing('from', 'the sender, such as Shop <shop@contoso.com>');
  if (['to', 'cc', 'bcc'].every((field) => isMissing(email[field])))
    yield missing('to', 'at least one recipient');
  if (email.subject === undefined || email.subject === null) yield missing('subject', 'text');
}

const notAnObject = (body: unknown, pointer: string, fields: string): AppError =>
  problemsError([
    { code: 'FIELD_INVALID', pointer, expected: `a JSON object with ${fields}`, received: describe(body) },
  ]);

/**
 * An email of Resend as one of ours, whose rules are not applied yet. Throws an AppError with every field that the relay cannot carry or
 * does not know, by the names of Resend.
 */
export const translateEmail = (body: unknown, { after, index }: TranslateOptions): TranslatedMail => {
  const item = index === undefined ? '' : `[${index}]`;
  const place = item === '' ? '' : `${item}.`;
  if (!isObject(body) || isBase64Text(body)) throw notAnObject(body, item, 'the fields of an email');
  const problems: Problem[] = [...fieldProblems(body, EMAIL_RULES, place), ...missingFields(body, place)];
  const attachments = readAttachments(body, place, problems);
  const tags = readTags(body.tags, place, problems);
  const { scheduled_at: scheduledAt, reply_to: replyTo } = body;
  const due =
    scheduledAt === undefined || isAbsent(scheduledAt)
      ? undefined
      : readScheduledAt(scheduledAt, after, place);
  if (due !== undefined && 'problem' in due) problems.push(due.problem);
  requireNone(problems);
  const { fields, rest, names } = readHeaders(body.headers, !isMissing(replyTo));
  const { from, to, cc, bcc, subject, html, text } = body;
  const input = {
    ...{ from, to, cc, bcc, subject, html, text, attachments, tags, headers: rest },
    ...(isMissing(replyTo) ? {} : { replyTo }),
    ...fields,
    ...(due !== undefined && 'sendAt' in due ? { sendAt: due.sendAt } : {}),
  };
  return {
    input: defined(input),
    fieldOf: (pointer) => {
      const field = theirField(pointer, names);
      return field === '' ? item : `${place}${field}`;
    },
  };
};

/** The new time that PATCH /emails/{id} asks for. */
export const readUpdate = (body: unknown, after: TranslateOptions['after']): string => {
  if (!isObject(body)) throw notAnObject(body, '', 'scheduled_at');
  requireNone(fieldProblems(body, UPDATE_RULES));
  const read = readScheduledAt(body.scheduled_at, after, '');
  if ('problem' in read) throw problemsError([read.problem]);
  return read.sendAt;
};

/** The field of Resend that a problem with the new time is about. */
export const fieldOfUpdate = (pointer: string): string => theirField(pointer, new Map());

/** Whether the email says when it is to be sent by its distance from now. */
export const namesDistance = (body: unknown): boolean =>
  isObject(body) && readDistance(body.scheduled_at) !== undefined;
