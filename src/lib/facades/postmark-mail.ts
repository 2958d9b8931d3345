import { describe } from '../describe.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import type { TranslatedMail } from './facade.ts';
import { fieldProblems, requireNone } from './field-rules.ts';
import { ATTACHMENT_RULES, EMAIL_RULES, inTheirCase, inTheirWords } from './postmark-fields.ts';
import { readHeaders } from './postmark-headers.ts';
import { readTags } from './postmark-tags.ts';
import { contentIdOf, withShownIds } from './shown-files.ts';

/** Fields with the names that our email has for them. */
const OURS = {
  From: 'from',
  To: 'to',
  Cc: 'cc',
  Bcc: 'bcc',
  ReplyTo: 'replyTo',
  Subject: 'subject',
  TextBody: 'text',
  HtmlBody: 'html',
} as const;
const THEIRS = new Map<string, string>(Object.entries(OURS).map(([theirs, ours]) => [ours, theirs]));
/** Our reader takes them in more forms than Postmark does. */
const TEXTS = ['From', 'To', 'Cc', 'Bcc', 'ReplyTo'] as const;

const ATTACHMENT_FIELDS = {
  Name: 'filename',
  Content: 'content',
  ContentType: 'contentType',
  ContentID: 'cid',
} as const;
const THEIR_ATTACHMENT_FIELDS = new Map<string, string>(
  Object.entries(ATTACHMENT_FIELDS).map(([theirs, ours]) => [ours, theirs]),
);

/** An email of Postmark as one of ours. Throws every problem that keeps it from being one. */
export const toMail = (written: unknown): TranslatedMail => {
  if (!isObject(written))
    throw problemsError([
      {
        code: 'FIELD_INVALID',
        pointer: '',
        expected: 'an email as a JSON object',
        received: describe(written),
      },
    ]);
  const { fields: email, repeated } = inTheirCase(written, EMAIL_RULES);
  const headers = readHeaders(email.Headers);
  const { tags, problems: tagProblems } = readTags(email.Tag, email.Metadata);
  const files = readAttachments(email.Attachments);
  requireNone([
    ...repeated.map((name): Problem => twice(name)),
    ...fieldProblems(email, EMAIL_RULES),
    ...textProblems(email),
    ...files.problems,
    ...headers.problems,
    ...(isAbsent(email.ReplyTo ?? '') || headers.fields.replyTo === undefined
      ? []
      : [twice(headers.places.get('replyTo') ?? 'Headers')]),
    ...tagProblems,
  ]);
  const input = Object.fromEntries([
    ...Object.entries(OURS).flatMap(([theirs, ours]) =>
      isAbsent(email[theirs] ?? '')
        ? []
        : [[ours, isAddresses(theirs) ? unquoted(email[theirs]) : email[theirs]]],
    ),
    ...Object.entries(headers.fields),
    ...(files.attachments.length === 0
      ? []
      : [['attachments', withShownIds(files.attachments, email.HtmlBody)]]),
    ...(tags.length === 0 ? [] : [['tags', tags.map(({ tag }) => tag)]]),
  ]);
  return {
    // Postmark sends an email without a subject, and one whose body is empty.
    input: { ...input, ...withSubject(email.Subject), ...withBody(email) },
    fieldOf: (pointer) => fieldOf(pointer, headers.places, tags),
  };
};

const isAddresses = (name: string): boolean => TEXTS.some((one) => one === name);

/** Postmark's client for Java puts each address of a list in double quotes, where a name would be. */
const unquoted = (written: unknown): unknown =>
  typeof written === 'string'
    ? written.replace(/(^|,)\s*"([^"\\<>,;\s@]+@[^"\\<>,;\s@]+)"(?=\s*(?:,|$))/g, '$1$2')
    : written;

const withSubject = (subject: unknown) => (isAbsent(subject ?? '') ? { subject: '' } : {});

/** An email whose body is an empty text is one all the same. */
const withBody = ({ TextBody, HtmlBody }: Readonly<Record<string, unknown>>) => {
  if (!isAbsent(TextBody ?? '') || !isAbsent(HtmlBody ?? '')) return {};
  if (TextBody === '') return { text: '' };
  return HtmlBody === '' ? { html: '' } : {};
};

const twice = (pointer: string): Problem => ({
  code: 'FIELD_REPEATED',
  pointer,
  expected: 'each field once',
  received: 'a field given twice',
});

function* textProblems(email: Readonly<Record<string, unknown>>): Generator<Problem> {
  for (const name of TEXTS)
    if (typeof email[name] !== 'string' && !isAbsent(email[name] ?? ''))
      yield {
        code: 'FIELD_INVALID',
        pointer: name,
        expected: 'text with addresses separated by commas',
        received: describe(email[name]),
      };
}

const readAttachments = (
  written: unknown,
): { readonly attachments: readonly unknown[]; readonly problems: readonly Problem[] } => {
  const problems: Problem[] = [];
  const tell = (pointer: string, expected: string, value: unknown) =>
    problems.push({ code: 'FIELD_INVALID', pointer, expected, received: describe(value) });
  if (!Array.isArray(written)) {
    if (!isAbsent(written ?? '')) tell('Attachments', 'a list of files', written);
    return { attachments: [], problems };
  }
  const attachments = written.map((one: unknown, index) => {
    const place = `Attachments[${index}]`;
    if (isAbsent(one)) return null;
    if (!isObject(one)) {
      tell(place, 'an object with Name, Content and ContentType', one);
      return null;
    }
    const { fields: file, repeated } = inTheirCase(one, ATTACHMENT_RULES);
    problems.push(...repeated.map((name) => twice(`${place}.${name}`)));
    problems.push(...fieldProblems(file, ATTACHMENT_RULES, `${place}.`));
    const disposition = isAbsent(file.Disposition ?? '') ? undefined : file.Disposition;
    // HtmlBody decides which files are shown in it.
    if (disposition !== undefined && !/^(?:inline|attachment)$/i.test(String(disposition)))
      tell(`${place}.Disposition`, 'attachment or inline', disposition);
    // The content is passed on as it is: it can be long, and then is no string.
    return Object.fromEntries(
      Object.entries(ATTACHMENT_FIELDS).flatMap(([theirs, ours]) => {
        const value = file[theirs];
        if (value === undefined || value === null) return [];
        return [[ours, ours === 'cid' ? contentIdOf(value) : value]];
      }),
    );
  });
  return { attachments, problems };
};

/** Where a problem of our email is in that of Postmark. */
const fieldOf = (
  pointer: string,
  places: ReadonlyMap<string, string>,
  tags: readonly { readonly field: string }[],
): string => {
  const [, field = '', ...inside] = pointer
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const [first = '', second = ''] = inside;
  if (field === 'attachments')
    return `Attachments${first === '' ? '' : `[${first}]`}${THEIR_ATTACHMENT_FIELDS.has(second) ? `.${THEIR_ATTACHMENT_FIELDS.get(second)}` : ''}`;
  if (field === 'tags') return (first === '' ? undefined : tags[Number(first)]?.field) ?? 'Tag and Metadata';
  if (field === 'headers') return places.get(`headers/${first.toLowerCase()}`) ?? 'Headers';
  return places.get(field) ?? THEIRS.get(field) ?? '';
};

/** The error of an email of ours, at the fields of Postmark and in its words. */
export const asTheirs = (error: AppError, at: TranslatedMail['fieldOf']): AppError => {
  const { problems, ...facts } = error.facts;
  return problems === undefined
    ? error
    : new AppError(error.code, {
        ...facts,
        problems: problems.map(({ pointer, expected, ...rest }) => ({
          ...rest,
          pointer: at(pointer),
          expected: inTheirWords(expected),
        })),
      });
};
