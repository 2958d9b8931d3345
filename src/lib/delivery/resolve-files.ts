import { AppError, type Problem, problemsError } from '../errors.ts';
import type { Mail } from '../mail/mail-schema.ts';
import type { AttachmentBlobs, Ports } from '../ports.ts';
import { type FoundFile, inEmail, type OutgoingMail, outgoing } from '../sending/outgoing-mail.ts';
import {
  MAX_POSTED_BYTES,
  MAX_REQUEST_BYTES,
  MAX_UPLOADED_BYTES,
  type PlanPolicy,
} from '../sending/send-plan.ts';
import type { Room } from './admission.ts';

export type ResolveNeeds = Pick<Ports, 'attachments'> & {
  /** Where the email may find that there is no room for its files; without it there is. */
  readonly room?: Pick<Room, 'add'>;
};

type Blob = NonNullable<Awaited<ReturnType<AttachmentBlobs['find']>>>;

/** Requests to storage at one time for one email, which can name 250 files. */
const AT_ONE_TIME = 8;

/**
 * Finds out about the files of an email what its plan depends on. Blobs of an email that fits one request to Graph are read;
 * others are left where they are, to be uploaded part by part. Throws ATTACHMENT_NOT_FOUND, ATTACHMENT_CHANGED, MAIL_TOO_LARGE, RELAY_BUSY,
 * STORAGE_UNAVAILABLE.
 */
export const resolveFiles = async (
  needs: ResolveNeeds,
  mail: Mail,
  policy: PlanPolicy,
): Promise<OutgoingMail> => {
  const names = namesOf(mail);
  if (names.length === 0) return outgoing(mail);
  const blobs = await findBlobs(needs, mail, names);
  const found = (name: string): Blob => blobs.get(name) ?? { bytes: 0, etag: '' };
  const left = outgoing(mail, (name) => {
    const { bytes, etag } = found(name);
    return { bytes, source: { kind: 'blob', name, etag } };
  });
  requireUploadable(left);
  const request = leastRequestBytes(mail, left);
  const isSmall = request <= MAX_REQUEST_BYTES && left.files.every(({ bytes }) => bytes <= MAX_POSTED_BYTES);
  const canUpload = policy.largeAttachments || policy.delivery === 'exact';
  if (!isSmall && !canUpload) throw tooLarge(left, request);
  if (needs.room?.add(isSmall ? request : MAX_REQUEST_BYTES) === false) throw new AppError('RELAY_BUSY');
  if (!isSmall || policy.delivery === 'exact') return left;
  const read = new Map<string, FoundFile>();
  await eachOf(names, async (name) => {
    read.set(name, inEmail((await readWhole(needs, mail, name, found(name))).toString('base64')));
  });
  return outgoing(mail, (name) => read.get(name) ?? inEmail(''));
};

const namesOf = ({ attachments }: Mail): readonly string[] => [
  ...new Set(attachments.flatMap((file) => ('blob' in file ? [file.blob] : []))),
];

const findBlobs = async (
  { attachments }: ResolveNeeds,
  mail: Mail,
  names: readonly string[],
): Promise<ReadonlyMap<string, Blob>> => {
  const found = new Map<string, Blob>();
  await eachOf(names, async (name) => {
    const blob = await attachments.find(name);
    if (blob !== undefined) found.set(name, blob);
  });
  const missing = problemsAt(mail, (name) => !found.has(name), {
    code: 'ATTACHMENT_NOT_FOUND',
    expected: 'the name of a blob in the container mail-attachments',
    received: 'a name that no blob there has',
  });
  if (missing.length > 0) throw problemsError(missing);
  return found;
};

const problemsAt = (
  { attachments }: Mail,
  isAt: (name: string) => boolean,
  problem: Omit<Problem, 'pointer'>,
): readonly Problem[] =>
  attachments.flatMap((file, index) =>
    'blob' in file && isAt(file.blob) ? [{ ...problem, pointer: `/attachments/${index}/blob` }] : [],
  );

/** In the version that was found; what took its place later may be too large, and nobody has looked at it. */
const readWhole = async (
  { attachments }: ResolveNeeds,
  mail: Mail,
  name: string,
  { bytes, etag }: Blob,
): Promise<Buffer> => {
  if (bytes === 0) return Buffer.alloc(0);
  const read = await attachments.read(name, etag, 0, bytes);
  if (read !== undefined) return read;
  throw problemsError(
    problemsAt(mail, (one) => one === name, {
      code: 'ATTACHMENT_CHANGED',
      expected: 'a blob that stays as it is until the email is sent',
      received: 'a blob that was replaced or deleted while the relay read it',
    }),
  );
};

/** What its request to Graph has at least: Graph's names of the fields come on top. */
const leastRequestBytes = ({ attachments: _, ...mail }: Mail, { files }: OutgoingMail): number =>
  Buffer.byteLength(JSON.stringify({ ...mail, raw: undefined })) +
  files.reduce((sum, { bytes }) => sum + 4 * Math.ceil(bytes / 3), 0);

const requireUploadable = ({ files }: OutgoingMail): void => {
  const problems = files.flatMap(({ bytes }, index) =>
    bytes <= MAX_UPLOADED_BYTES
      ? []
      : [
          {
            code: 'MAIL_TOO_LARGE' as const,
            pointer: `/attachments/${index}`,
            expected: `a file of at most ${MAX_UPLOADED_BYTES} bytes, the most that Exchange accepts`,
            received: `a file of ${bytes} bytes`,
          },
        ],
  );
  if (problems.length > 0) throw problemsError(problems);
};

const tooLarge = ({ files }: OutgoingMail, request: number): AppError => {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return new AppError('MAIL_TOO_LARGE', {
    detail: `The attachments have ${bytes} bytes, so the request to Graph would have at least ${request}; it can have ${MAX_REQUEST_BYTES}, with files of at most ${MAX_POSTED_BYTES} bytes. Set MAIL_LARGE_ATTACHMENTS to send files of up to ${MAX_UPLOADED_BYTES} bytes.`,
  });
};

const eachOf = async (names: readonly string[], job: (name: string) => Promise<void>): Promise<void> => {
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await job(name);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONE_TIME, names.length) }, work));
};
