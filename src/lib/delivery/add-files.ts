import { type Base64Text, decodeRange } from '../mail/base64-text.ts';
import type { Ports, RangeReport, Upload } from '../ports.ts';
import {
  decideAfterRange,
  isUploaded,
  RANGE_BYTES,
  toAttachmentBody,
  toUploadItem,
} from '../sending/draft-files.ts';
import { decideStage } from '../sending/draft-stage.ts';
import type { OutgoingFile } from '../sending/outgoing-mail.ts';
import { requireDone, Unfinished, unfinished, withFreshToken } from './draft-request.ts';

export type FilesNeeds = Pick<Ports, 'drafts' | 'attachments' | 'clock'>;

type Target = { readonly mailbox: string; readonly draftId: string; readonly until: Date };

/** A draft is not known to every server of Exchange at once; it is for a moment. */
const UNKNOWN_DRAFT_WAITS_MS = [500, 1000, 2000, 4000];
/** Between tries of one range. */
const RANGE_WAITS_MS = [500, 2000, 5000, 10_000];
const LONGEST_PAUSE_MS = 10_000;
/** A session ends after some time, or with its server. */
const MAX_SESSIONS = 3;

/** Adds the files to a draft, one by one. Throws Unfinished unless Graph has said of each that it is attached, whole. */
export const addFiles = async (
  needs: FilesNeeds,
  target: Target,
  files: readonly OutgoingFile[],
): Promise<void> => {
  for (const [index, file] of files.entries()) {
    if (isUploaded(file)) await uploadFile(needs, target, file, index);
    else {
      requireTime(needs, target);
      const content = await wholeOf(needs, file, index);
      const body = toAttachmentBody(file, content);
      // Once: after whatever is not 201 the file may be there, and a second request would attach it twice.
      const report = await needs.drafts.attach(target.mailbox, target.draftId, body);
      requireDone(needs.clock.now(), 'attach', report);
    }
  }
};

/** Past this, what is left of the invocation is needed to send. */
const requireTime = ({ clock }: FilesNeeds, { until }: Target): void => {
  if (clock.now() >= until)
    throw unfinished('The files could not be uploaded within the time that one attempt has.');
};

const uploadFile = async (
  needs: FilesNeeds,
  target: Target,
  file: OutgoingFile,
  index: number,
): Promise<void> => {
  for (let session = 1; session <= MAX_SESSIONS; session += 1) {
    const { upload, nextStart } = await openSession(needs, target, file);
    if ((await uploadBy(needs, target, upload, nextStart, file, index)) === 'complete') return;
  }
  throw unfinished(`${MAX_SESSIONS} upload sessions ended before the file was complete.`);
};

const openSession = async (
  needs: FilesNeeds,
  { mailbox, draftId, until }: Target,
  file: OutgoingFile,
): Promise<{ readonly upload: Upload; readonly nextStart: number }> => {
  const { drafts, clock } = needs;
  const open = () => {
    requireTime(needs, { mailbox, draftId, until });
    return withFreshToken(
      () => drafts.openUpload(mailbox, draftId, toUploadItem(file)),
      ({ report }) => report,
    );
  };
  let opened = await open();
  for (const waitMs of UNKNOWN_DRAFT_WAITS_MS) {
    if (opened.report.kind !== 'answered' || opened.report.status !== 404) break;
    await clock.sleep(waitMs);
    opened = await open();
  }
  requireDone(clock.now(), 'open-upload', opened.report);
  const { upload, nextStart = 0, strangeHost } = opened;
  if (upload !== undefined) return { upload, nextStart };
  throw new Unfinished({
    kind: 'rejected',
    code: 'UPLOAD_HOST_UNEXPECTED',
    detail: strangeHost ? `Graph named the host ${strangeHost}.` : 'Graph named no address.',
  });
};

/** Uploads what is missing of a file by one session; `over` when that ended before the file was complete. */
const uploadBy = async (
  needs: FilesNeeds,
  target: Target,
  upload: Upload,
  from: number,
  file: OutgoingFile,
  index: number,
): Promise<'complete' | 'over'> => {
  let start = from;
  let failures = 0;
  for (;;) {
    requireTime(needs, target);
    const bytes = await rangeOf(needs, file, start, index);
    const end = start + bytes.length;
    const report = await upload.put(bytes, start, file.bytes);
    const outcome = decideStage('upload', report, needs.clock.now());
    if (outcome === 'done') {
      const next = decideAfterRange(report, end, file.bytes);
      if (next.kind === 'complete') return 'complete';
      if (next.kind === 'unclear') throw unfinished('The upload ended otherwise than with the last byte.');
      // An answer that asks for the same again is no progress.
      failures = next.start > start ? 0 : failures + 1;
      start = next.start;
      if (failures < RANGE_WAITS_MS.length) continue;
      throw unfinished('The upload did not go on.');
    }
    const isLast = end === file.bytes;
    if (isOver(report, failures > 0)) {
      if (!isLast) return 'over';
      throw unfinished('The upload session ended with the last range of a file, which may be attached.');
    }
    const least = RANGE_WAITS_MS[failures];
    failures += 1;
    const askedMs = outcome.kind === 'not-sent' ? (outcome.waitMs ?? 0) : 0;
    // What takes longer waits on the queue, and does not keep a request of its mailbox.
    if (outcome.kind === 'rejected' || least === undefined || askedMs > LONGEST_PAUSE_MS)
      throw new Unfinished(outcome);
    await needs.clock.sleep(Math.max(least, askedMs));
    const resumed = await resume(upload, start, isLast && report.kind !== 'not-connected');
    if (resumed === 'over') return 'over';
    start = resumed;
  }
};

/**
 * The session has ended, or its token; or it has the range that was sent again, which is said in more than one way. Another
 * session begins the file anew.
 */
const isOver = (report: RangeReport, wasTriedBefore: boolean): boolean =>
  report.kind === 'answered' &&
  ([401, 403, 404, 409, 410, 416].includes(report.status) || (report.status === 400 && wasTriedBefore));

/**
 * Where to go on after a range that failed: where the session says. A session that does not say so takes the same range
 * again, or refuses it. After the last range, a session that is over may have attached the file: a second one would attach it
 * twice.
 */
const resume = async (upload: Upload, start: number, mayBeComplete: boolean): Promise<number | 'over'> => {
  const asked = await upload.ask();
  if (asked.kind === 'answered' && asked.status === 200 && asked.nextStart !== undefined)
    return asked.nextStart;
  if (mayBeComplete) throw unfinished('The answer to the last range of a file was lost.');
  return asked.kind === 'answered' && (asked.status === 404 || asked.status === 410) ? 'over' : start;
};

const rangeOf = async (
  { attachments }: FilesNeeds,
  { source, bytes }: OutgoingFile,
  start: number,
  index: number,
): Promise<Buffer> => {
  const count = Math.min(RANGE_BYTES, bytes - start);
  if (source.kind === 'base64') return decodeRange(source.content, start, count);
  const read = await attachments.read(source.name, source.etag, start, count);
  if (read?.length === count) return read;
  throw changed(index);
};

const wholeOf = async (
  { attachments }: FilesNeeds,
  { source, bytes }: OutgoingFile,
  index: number,
): Promise<Base64Text> => {
  if (source.kind === 'base64') return source.content;
  if (bytes === 0) return '';
  const read = await attachments.read(source.name, source.etag, 0, bytes);
  if (read?.length === bytes) return read.toString('base64');
  throw changed(index);
};

const changed = (index: number): Unfinished =>
  new Unfinished({
    kind: 'rejected',
    code: 'ATTACHMENT_CHANGED',
    detail: `It is attachment ${index + 1} of those that are sent one by one.`,
  });
