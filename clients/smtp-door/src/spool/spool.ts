import { mkdir, open, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import type { Keep } from '../relay/deliver.ts';
import type { Submission } from '../submission.ts';
import { codeOf, FOLDER_MODE, moveDurably, writeDurably } from './durable-file.ts';
import { type FailureReason, REASON_SUFFIX, reasonFileOf, writeReason } from './reason-file.ts';
import { MAX_HEAD, readSpoolFile, readSpoolHead, writeSpoolFile } from './spool-file.ts';

export type SpoolSettings = {
  readonly folder: string;
  readonly maxBytes: number;
  readonly maxEmails: number;
};

/** An email that waits. Only what follows from attempts is not on the disk: after a restart every email is tried again. */
export type Waiting = {
  readonly name: string;
  readonly id: string;
  readonly account: string;
  readonly receivedAt: Date;
  readonly bytes: number;
  attempts: number;
  /** No attempt before this time, in milliseconds since 1970. */
  notBefore: number;
};

export type SpoolCounts = {
  readonly emails: number;
  readonly bytes: number;
  readonly oldest: Date | undefined;
  readonly failed: number;
  readonly damaged: number;
  /** Why the last email was not written; until one is, or could be. */
  readonly refuses?: string | undefined;
};

export const SUFFIX = '.email';
/** Of the spool, by what its files are. */
export const FOLDERS = {
  waiting: 'waiting',
  failed: 'failed',
  damaged: 'damaged',
  drafts: 'drafts',
} as const;

/** Sorted by time, because 14 digits last until the year 5138. */
const nameOf = ({ receivedAt, id }: Submission): string =>
  `${String(receivedAt.getTime()).padStart(14, '0')}-${id.replaceAll(/[^\w-]/g, '_').slice(0, 100)}${SUFFIX}`;

/** Not a code of the file system: the limits of the settings are reached. */
const FULL = 'FULL';
/** A file that is written to see whether the disk takes files again. */
const PROBE = 'probe';

const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** Emails on the disk until the relay has them. One process at a time: see folder-lock.ts. */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #waiting = new Map<string, Waiting>();
  #failed = new Map<string, number>();
  #damaged = 0;
  #last = '';
  /** Of emails that are being written. */
  #reserved = { emails: 0, bytes: 0 };
  #added: () => void = () => {};
  /** The last email that had no place here. */
  #refused: { readonly code: string; readonly bytes: number } | undefined;

  private constructor(settings: SpoolSettings, log: Log, now: () => Date) {
    this.#settings = settings;
    this.#log = log;
    this.#now = now;
  }

  /** Makes the folders, removes what a crash left half written, and finds what waits. */
  static async open(settings: SpoolSettings, log: Log, now: () => Date): Promise<Spool> {
    const spool = new Spool(settings, log, now);
    for (const folder of Object.values(FOLDERS))
      await mkdir(join(settings.folder, folder), { recursive: true, mode: FOLDER_MODE });
    const drafts = await readdir(spool.#path('drafts'));
    for (const draft of drafts) await rm(spool.#path('drafts', draft), { force: true, recursive: true });
    await spool.rescan();
    const { emails, bytes, failed, damaged } = spool.counts;
    log('info', 'SpoolOpened', { emails, bytes, failed, damaged, unfinished: drafts.length });
    return spool;
  }

  /** Who is called when an email was added. */
  onAdded(added: () => void): void {
    this.#added = added;
  }

  /** Writes an email through to the disk. Where that fails, nothing of it is left and the client keeps it. */
  keep: Keep = async (submission) => {
    const parts = writeSpoolFile(submission);
    const bytes = parts[0].length + parts[1].length;
    const { id, account } = submission;
    if (!this.#hasRoomFor(bytes)) {
      this.#refused = { code: FULL, bytes };
      this.#log('error', 'SpoolFull', { id, account, emails: this.counts.emails, bytes: this.counts.bytes });
      return full('The SMTP door keeps as many emails as its settings allow. Send the email again later.');
    }
    const name = nameOf(submission);
    this.#reserved = { emails: this.#reserved.emails + 1, bytes: this.#reserved.bytes + bytes };
    try {
      await writeDurably(this.#path('waiting', name), parts, this.#path('drafts', name));
      this.#refused = undefined;
    } catch (error) {
      this.#refused = { code: codeOf(error), bytes };
      this.#log('error', 'SpoolNotWritten', { id, account, code: codeOf(error) });
      return full(
        `The SMTP door cannot write the email to its disk (${codeOf(error)}). Send the email again later.`,
      );
    } finally {
      this.#reserved = { emails: this.#reserved.emails - 1, bytes: this.#reserved.bytes - bytes };
    }
    this.#add({ name, id, account, receivedAt: submission.receivedAt, bytes, attempts: 0, notBefore: 0 });
    this.#log('info', 'EmailSpooled', { id, account, bytes });
    this.#added();
    return { kind: 'spooled' };
  };

  /** Oldest first. */
  get waiting(): Iterable<Waiting> {
    return this.#waiting.values();
  }

  get counts(): SpoolCounts {
    let [bytes, oldest]: [number, Date | undefined] = [0, undefined];
    for (const waiting of this.#waiting.values()) {
      bytes += waiting.bytes;
      if (oldest === undefined || waiting.receivedAt < oldest) oldest = waiting.receivedAt;
    }
    return {
      emails: this.#waiting.size,
      bytes,
      oldest,
      failed: this.#failed.size,
      damaged: this.#damaged,
      refuses: this.#refused?.code,
    };
  }

  /** Reads an email; undefined if it is not there any more, or is not what was written. Then it is not tried again. */
  async read(waiting: Waiting): Promise<Submission | undefined> {
    const path = this.#path('waiting', waiting.name);
    const file = await readFile(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (file === undefined) {
      this.#waiting.delete(waiting.name);
      return undefined;
    }
    const read = readSpoolFile(file);
    if (!('damage' in read)) return read;
    await this.#setApart(waiting.name, read.damage);
    return undefined;
  }

  /** The relay has it. If the machine stops before this is on the disk, the email is posted again with the same idempotency key. */
  async remove({ name }: Waiting): Promise<void> {
    await rm(this.#path('waiting', name), { force: true });
    this.#waiting.delete(name);
  }

  /** It will not be sent, and an operator decides. The reason is written first, so that no failed email is without one. */
  async fail({ name, bytes }: Waiting, reason: FailureReason): Promise<void> {
    await writeReason(
      this.#path('failed', reasonFileOf(name)),
      reason,
      this.#path('drafts', reasonFileOf(name)),
    );
    await moveDurably(this.#path('waiting', name), this.#path('failed', name));
    this.#waiting.delete(name);
    this.#failed.set(name, bytes);
  }

  /** Finds what someone else changed: `smtp-door spool` moves and removes files while the door runs. */
  async rescan(): Promise<void> {
    const failed = await this.#namesIn('failed');
    const sizes = new Map<string, number>();
    for (const name of failed)
      sizes.set(name, this.#failed.get(name) ?? (await this.#sizeOf('failed', name)));
    this.#failed = sizes;
    this.#damaged = (await readdir(this.#path('damaged'))).filter(
      (name) => !name.endsWith(REASON_SUFFIX),
    ).length;
    if (this.#refused !== undefined && (await this.#couldWrite(this.#refused))) this.#refused = undefined;
    const known = [...this.#waiting.keys()];
    const there = new Set(await this.#namesIn('waiting'));
    for (const name of known) if (!there.has(name)) this.#waiting.delete(name);
    for (const name of there) if (!this.#waiting.has(name)) await this.#find(name);
  }

  async #find(name: string): Promise<void> {
    try {
      const handle = await open(this.#path('waiting', name), 'r');
      try {
        const { size } = await handle.stat();
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_HEAD), 0, MAX_HEAD, 0);
        const read = readSpoolHead(buffer.subarray(0, bytesRead));
        if ('damage' in read) return await this.#setApart(name, read.damage);
        const { id, account, receivedAt } = read.head;
        this.#add({
          name,
          id,
          account,
          receivedAt: new Date(receivedAt),
          bytes: size,
          attempts: 0,
          notBefore: 0,
        });
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!isMissing(error)) this.#log('error', 'SpoolFileUnreadable', { file: name, code: codeOf(error) });
    }
  }

  /** Keeps the order by name: what `smtp-door spool retry` puts back is older than the rest. */
  #add(waiting: Waiting): void {
    const isLast = this.#last < waiting.name;
    this.#waiting.set(waiting.name, waiting);
    if (isLast) {
      this.#last = waiting.name;
      return;
    }
    const sorted = [...this.#waiting].sort(([one], [other]) => (one < other ? -1 : 1));
    this.#waiting.clear();
    for (const [name, entry] of sorted) this.#waiting.set(name, entry);
  }

  async #setApart(name: string, damage: string): Promise<void> {
    const reason = {
      at: this.#now().toISOString(),
      kind: 'damaged',
      reason: 'FILE_DAMAGED',
      text: damage,
    } as const;
    await writeReason(
      this.#path('damaged', reasonFileOf(name)),
      reason,
      this.#path('drafts', reasonFileOf(name)),
    );
    await moveDurably(this.#path('waiting', name), this.#path('damaged', name));
    this.#waiting.delete(name);
    this.#damaged += 1;
    this.#log('error', 'SpoolFileDamaged', { file: name, damage });
  }

  /** Whether an email that had no place would have one now. The disk can be free again while no email comes. */
  async #couldWrite({ code, bytes }: { readonly code: string; readonly bytes: number }): Promise<boolean> {
    if (code === FULL) return this.#hasRoomFor(bytes);
    try {
      const { bavail, bsize } = await statfs(this.#settings.folder);
      if (bavail * bsize < bytes) return false;
      await writeDurably(
        this.#path('drafts', PROBE),
        [Buffer.from('.')],
        this.#path('drafts', `${PROBE}.draft`),
      );
      await rm(this.#path('drafts', PROBE));
      return true;
    } catch {
      return false;
    }
  }

  #hasRoomFor(bytes: number): boolean {
    const { maxBytes, maxEmails } = this.#settings;
    const waiting = this.counts;
    // Failed emails count too: the disk is the same.
    const failed = [...this.#failed.values()].reduce((sum, size) => sum + size, 0);
    return (
      waiting.emails + this.#failed.size + this.#reserved.emails < maxEmails &&
      waiting.bytes + failed + this.#reserved.bytes + bytes <= maxBytes
    );
  }

  async #namesIn(folder: 'waiting' | 'failed'): Promise<readonly string[]> {
    return (await readdir(this.#path(folder))).filter((name) => name.endsWith(SUFFIX)).sort();
  }

  async #sizeOf(folder: 'failed', name: string): Promise<number> {
    return stat(this.#path(folder, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }

  #path(folder: keyof typeof FOLDERS, ...names: readonly string[]): string {
    return join(this.#settings.folder, FOLDERS[folder], ...names);
  }
}

const full = (text: string) => ({ kind: 'later', code: '452', enhanced: '4.3.1', text }) as const;
