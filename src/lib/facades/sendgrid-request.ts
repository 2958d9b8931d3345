import { defined } from '../defined.ts';
import { describe } from '../describe.ts';
import { AppError, type Problem } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { KEY_FORM, keyFault } from '../mail/idempotency-key.ts';
import type { TranslatedMail } from './facade.ts';
import { fieldProblems, requireNone } from './field-rules.ts';
import type { GivenHeader } from './header-fields.ts';
import { type Bodies, readContent, toCalendar } from './sendgrid-content.ts';
import { isOn, MAIL_SETTINGS, PERSONALIZATION, REQUEST, TRACKING_SETTINGS } from './sendgrid-fields.ts';
import { type Files, readFiles } from './sendgrid-files.ts';
import {
  type Findings,
  fieldAt,
  isNothing,
  listIn,
  newFindings,
  objectIn,
  tell,
} from './sendgrid-findings.ts';
import { headersIn, readHeaders, withOwn } from './sendgrid-headers.ts';
import { toPeople, toPerson } from './sendgrid-people.ts';
import { type Growth, readSubstitutions, type Substitute } from './sendgrid-substitutions.ts';
import { argsIn, type CustomArg, readArgs, readCategories } from './sendgrid-tags.ts';
import { withShownIds } from './shown-files.ts';

/** SendGrid's limit. */
const MAX_PERSONALIZATIONS = 1000;
/** Each personalization is an email with a copy of all contents and files. */
const MAX_EXPANDED = 50_000_000;
/** A file costs as much processor time as so many characters of text, however small it is; all together about 20 seconds. */
const PER_FILE = 2_000;
const MAX_TAGS = 10;
/** The end of the year 9999; a larger number is in milliseconds. */
const MAX_SECONDS = 253_402_300_799;

const IDEMPOTENCY_HEADER = 'x-idempotency-key';

/** One email of a request. */
export type SendGridMail = TranslatedMail & {
  readonly idempotencyKey?: string;
  /** The key is that of the whole request, or comes from it. */
  readonly hasKeyOfRequest?: true;
};

/** What POST /v3/mail/send asks for. */
export type SendGridRequest = {
  readonly mails: readonly SendGridMail[];
  /** Only to be checked. */
  readonly isSandbox: boolean;
  /** The characters that substitution made in addition to those that were received. */
  readonly made: number;
};

/** What the emails of a request have in common. */
type Shared = {
  readonly from: unknown;
  readonly replyTo: unknown;
  readonly subject: unknown;
  readonly bodies: Bodies;
  readonly calendar: unknown;
  readonly files: Files;
  /** The files of an email with this html; the same list for the same html. */
  readonly filesIn: (html: unknown) => readonly unknown[];
  readonly headers: readonly GivenHeader[];
  readonly tags: readonly string[];
  readonly args: ReadonlyMap<string, CustomArg>;
  readonly sendAt: unknown;
  readonly places: ReadonlyMap<string, string>;
};

/** Reads a request, each of whose personalizations is an email. Throws one AppError that lists every problem, by SendGrid's fields. */
export const readSendGridRequest = (body: unknown): SendGridRequest => {
  if (!isObject(body))
    throw new AppError('JSON_UNREADABLE', {
      detail: `Expected one JSON object, received ${describe(body)}.`,
    });
  const findings = newFindings();
  findings.problems.push(...fieldProblems(body, REQUEST));
  const settings = objectIn(findings, body.mail_settings, 'mail_settings', MAIL_SETTINGS);
  objectIn(findings, body.tracking_settings, 'tracking_settings', TRACKING_SETTINGS);
  const shared = readShared(findings, body);
  const blocks = listIn(findings, body.personalizations, 'personalizations');
  requireCount(findings, blocks.length);
  requireSize(blocks.length, shared);
  const copied = blocks.length > 1 ? blocks.length * lengthOf(shared) : 0;
  const growth: Growth = {
    made: 0,
    most: MAX_EXPANDED - copied,
    tooMuch: () => tooLarge(`more than ${MAX_EXPANDED}`),
  };
  const mails = blocks.map((block, index) =>
    readBlock(findings, { ...shared, growth, count: blocks.length }, block, index),
  );
  requireOwnKeys(findings, mails);
  requireNone(once(findings.problems));
  return { mails, isSandbox: isOn(settings?.sandbox_mode), made: growth.made };
};

/** What all emails of a request have in common is wrong once. */
const once = (problems: readonly Problem[]): Iterable<Problem> =>
  new Map(problems.map((problem) => [`${problem.code} ${problem.pointer}`, problem])).values();

const requireCount = (findings: Findings, count: number): void => {
  if (count === 0)
    tell(findings, 'personalizations', 'at least one personalization', [], 'RECIPIENT_MISSING');
  if (count > MAX_PERSONALIZATIONS)
    throw new AppError('RECIPIENTS_TOO_MANY', {
      problems: [
        {
          code: 'RECIPIENTS_TOO_MANY',
          pointer: 'personalizations',
          expected: `at most ${MAX_PERSONALIZATIONS} personalizations`,
          received: `${count} personalizations`,
        },
      ],
    });
};

const lengthOf = ({ bodies, files }: Pick<Shared, 'bodies' | 'files'>): number =>
  files.length +
  files.files.length * PER_FILE +
  [bodies.text, bodies.html, bodies.ics].reduce<number>(
    (sum, body) => sum + (typeof body === 'string' ? body.length : 0),
    0,
  );

/** One email has the limits of one email. */
const requireSize = (count: number, shared: Shared): void => {
  const length = count * lengthOf(shared);
  if (count > 1 && length > MAX_EXPANDED) throw tooLarge(String(length));
};

const tooLarge = (length: string): AppError =>
  new AppError('REQUEST_TOO_LARGE', {
    detail: `Each personalization is an email with a copy of all contents and files. Together they can have ${MAX_EXPANDED} characters, where files count in base64 and each with ${PER_FILE} more; these would have ${length}. Divide the personalizations into several requests.`,
  });

const readShared = (findings: Findings, body: Readonly<Record<string, unknown>>): Shared => {
  const { places } = findings;
  const bodies = readContent(findings, body.content);
  places.set('/from', 'from');
  places.set('/subject', 'subject');
  places.set('/sendAt', 'send_at');
  const files = readFiles(findings, body.attachments);
  const shown = withShownIds(files.files, bodies.html);
  return {
    from: isNothing(body.from) ? undefined : toPerson(findings, body.from, 'from'),
    replyTo: readReplyTo(findings, body),
    subject: isNothing(body.subject) ? undefined : body.subject,
    bodies,
    calendar: toCalendar(bodies.ics),
    files,
    filesIn: (html) => (html === bodies.html ? shown : withShownIds(files.files, html)),
    headers: headersIn(objectIn(findings, body.headers, 'headers'), 'headers'),
    tags: readCategories(findings, body.categories),
    args: argsIn(objectIn(findings, body.custom_args, 'custom_args'), 'custom_args'),
    sendAt: readSendAt(findings, body.send_at, 'send_at'),
    places,
  };
};

const readReplyTo = (findings: Findings, body: Readonly<Record<string, unknown>>): unknown => {
  const listed = toPeople(findings, body.reply_to_list, 'reply_to_list', '/replyTo');
  if (isNothing(body.reply_to)) return listed;
  if (listed !== undefined)
    tell(findings, 'reply_to_list', '`reply_to` or `reply_to_list`, not both', body.reply_to_list);
  findings.places.set('/replyTo', 'reply_to');
  return toPerson(findings, body.reply_to, 'reply_to');
};

const readSendAt = (findings: Findings, value: unknown, place: string): string | undefined => {
  if (isNothing(value)) return undefined;
  const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_SECONDS)
    return new Date(seconds * 1000).toISOString();
  tell(
    findings,
    place,
    'a time in whole seconds since 1970, such as 1796083200, and not in milliseconds',
    value,
    'SEND_AT_INVALID',
  );
  return undefined;
};

const readBlock = (
  { problems }: Findings,
  shared: Shared & { readonly growth: Growth; readonly count: number },
  block: unknown,
  index: number,
): SendGridMail => {
  const place = `personalizations.${index}`;
  const places = new Map(shared.places);
  const findings = { problems, places };
  const own = objectIn(findings, block, place, PERSONALIZATION) ?? {};
  if (!isObject(block)) tell(findings, place, 'an object', block);
  const substitute = readSubstitutions(findings, own.substitutions, `${place}.substitutions`, shared.growth);
  const bodies = substituted(shared, substitute);
  const files = shared.filesIn(bodies.html);
  const tags = readOwnTags(findings, shared, own, place);
  requireTags(findings, shared, place, tags, shared.count);
  const ownHeaders = headersIn(objectIn(findings, own.headers, `${place}.headers`), `${place}.headers`);
  const {
    replyTo: headerReplyTo,
    idempotencyKey: key,
    ...headers
  } = readHeaders(findings, withOwn(shared.headers, ownHeaders));
  const input = defined({
    from:
      readOwn(findings, '/from', own.from, `${place}.from`, (one, at) => toPerson(findings, one, at)) ??
      shared.from,
    to: toPeople(findings, own.to, `${place}.to`, '/to'),
    cc: toPeople(findings, own.cc, `${place}.cc`, '/cc'),
    bcc: toPeople(findings, own.bcc, `${place}.bcc`, '/bcc'),
    replyTo: readReplies(findings, shared, substitute, headerReplyTo),
    subject: substitute(
      readOwn(findings, '/subject', own.subject, `${place}.subject`, (one) => one) ?? shared.subject,
    ),
    ...bodies,
    attachments: files.length === 0 ? undefined : files,
    ...headers,
    tags: tags.length === 0 ? undefined : tags,
    sendAt:
      readOwn(findings, '/sendAt', own.send_at, `${place}.send_at`, (one, at) =>
        readSendAt(findings, one, at),
      ) ?? shared.sendAt,
  });
  if (input.from === undefined) tell(findings, 'from', 'the sender', undefined);
  const idempotencyKey = readKey(findings, key, ownHeaders, index);
  return {
    input,
    fieldOf: (pointer) => fieldAt(places, pointer),
    ...defined({ idempotencyKey }),
    ...(idempotencyKey === undefined || hasOwnKey(ownHeaders) ? {} : { hasKeyOfRequest: true }),
  };
};

/** What a personalization says instead of the request. */
const readOwn = <Value>(
  { places }: Findings,
  pointer: string,
  value: unknown,
  place: string,
  read: (value: unknown, place: string) => Value,
): Value | undefined => {
  if (isNothing(value)) return undefined;
  places.set(pointer, place);
  return read(value, place);
};

const substituted = ({ bodies, calendar }: Shared, substitute: Substitute) => {
  const text = substitute(bodies.text);
  const html = substitute(bodies.html);
  const ics = substitute(bodies.ics);
  return { text, html, calendar: ics === bodies.ics ? calendar : toCalendar(ics) };
};

const readReplies = (
  findings: Findings,
  { replyTo, places }: Shared,
  substitute: Substitute,
  header: unknown,
): unknown => {
  if (header !== undefined && replyTo !== undefined)
    tell(
      findings,
      findings.places.get('/replyTo') ?? 'headers',
      '`reply_to` or the header Reply-To, not both',
      header,
      'HEADER_NOT_CARRIED',
    );
  if (replyTo === undefined) return substitute(header);
  findings.places.set('/replyTo', places.get('/replyTo') ?? 'reply_to');
  const inPerson = (one: unknown): unknown =>
    isObject(one)
      ? defined({ address: substitute(one.address), name: substitute(one.name) })
      : substitute(one);
  return Array.isArray(replyTo) ? replyTo.map(inPerson) : inPerson(replyTo);
};

const readOwnTags = (
  findings: Findings,
  shared: Shared,
  own: Readonly<Record<string, unknown>>,
  place: string,
): readonly string[] => {
  const at = `${place}.custom_args`;
  const ownArgs = argsIn(objectIn(findings, own.custom_args, at), at);
  return [...new Set([...shared.tags, ...readArgs(findings, new Map([...shared.args, ...ownArgs]))])];
};

const hasOwnKey = (ownHeaders: readonly GivenHeader[]): boolean =>
  ownHeaders.some(({ name }) => name.toLowerCase() === IDEMPOTENCY_HEADER);

/** One key for the whole request gives each of its emails a key of its own. */
const readKey = (
  findings: Findings,
  key: unknown,
  ownHeaders: readonly GivenHeader[],
  index: number,
): string | undefined => {
  if (key === undefined) return undefined;
  const whole = typeof key === 'string' && !hasOwnKey(ownHeaders) && index > 0 ? `${key}.${index}` : key;
  const fault = typeof whole === 'string' ? keyFault(whole) : undefined;
  if (typeof whole === 'string' && fault === undefined) return whole;
  findings.problems.push({
    code: 'IDEMPOTENCY_KEY_INVALID',
    pointer: findings.places.get('/idempotencyKey') ?? '',
    expected: KEY_FORM,
    received: fault === undefined ? describe(key) : `a text with ${fault}`,
  });
  return undefined;
};

/** Beside the tag by which the emails of one request are found. */
const requireTags = (
  findings: Findings,
  shared: Shared,
  place: string,
  tags: readonly string[],
  count: number,
): void => {
  const most = count > 1 ? MAX_TAGS - 1 : MAX_TAGS;
  if (tags.length <= most) return;
  const others = tags.length - shared.tags.length;
  tell(
    findings,
    others === 0 ? 'categories' : shared.args.size >= others ? 'custom_args' : `${place}.custom_args`,
    `at most ${most} different categories and custom arguments together, because each becomes a tag`,
    tags,
  );
};

/** A key is of one email, and the emails of a request are told apart by all of their keys or by none. */
const requireOwnKeys = (findings: Findings, mails: readonly SendGridMail[]): void => {
  const keys = mails.flatMap(({ idempotencyKey: key }) => (key === undefined ? [] : [key]));
  if (new Set(keys).size < keys.length || (keys.length > 0 && keys.length < mails.length))
    findings.problems.push({
      code: 'IDEMPOTENCY_KEY_INVALID',
      pointer: 'personalizations',
      expected:
        'the header X-Idempotency-Key once for the whole request, or a different one in each personalization',
      received: `${new Set(keys).size} keys for ${mails.length} personalizations`,
    });
};
