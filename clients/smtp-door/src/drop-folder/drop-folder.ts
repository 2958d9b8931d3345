import { createHash } from 'node:crypto';
import { constants, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { oneLine } from '../relay/one-line.ts';
import { pauseMs } from '../relay/pauses.ts';
import { codeOf, FOLDER_MODE } from '../spool/durable-file.ts';
import { type FailureReason, REASON_SUFFIX, reasonFileOf, writeReason } from '../spool/reason-file.ts';
import type { Deliver, Submission } from '../submission.ts';

export type DropFolderSettings = {
  readonly folder: string;
  readonly account: string;
  readonly sent: 'keep' | 'delete';
  readonly maxBytes: number;
};

/** Makes an email for the relay of the bytes of a file, or says why not. */
type JudgeFile = (
  bytes: Buffer,
) => Promise<
  | ({ readonly kind: 'email' } & Pick<Submission, 'idempotencyKey' | 'contentType' | 'body'>)
  | { readonly kind: 'refused'; readonly text: string }
>;

export type DropFolderWorld = {
  readonly judge: JudgeFile;
  readonly deliver: Deliver;
  readonly now: () => Date;
  readonly log: Log;
};

/** What is known of a file between two looks. */
type Seen = {
  readonly stamp: string;
  attempts: number;
  notBefore: number;
  isHandedOver: boolean;
  /** Of the first attempt: rights that change in between make no other email of it. */
  key?: string;
};
type Found = {
  readonly name: string;
  readonly stamp: string;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly size: number;
};

/** A program can open its file long before it writes: an empty one is only a failure after this time. */
const EMPTY_MS = 60_000;
/** Room for the suffix of the reason: file systems allow 255 bytes. */
const MAX_STEM_BYTES = 180;
const IS_EML = /\.eml$/i;
/** Keys that judging made itself, not the application in its header. */
const OWN_KEY = /^smtp-/;

/** Sends the .eml files that programs put into a folder. */
export class DropFolder {
  readonly #settings: DropFolderSettings;
  readonly #world: DropFolderWorld;
  #seen = new Map<string, Seen>();
  /** Since when the door sees a file empty: its own time can be in the future. */
  #emptySince = new Map<string, number>();
  #failed = 0;
  #fault: string | undefined;

  constructor(settings: DropFolderSettings, world: DropFolderWorld) {
    this.#settings = settings;
    this.#world = world;
  }

  /** For health. */
  get facts(): { readonly failed: number; readonly fault: string | undefined } {
    return { failed: this.#failed, fault: this.#fault };
  }

  /** Looks into the folder once, and sends what has not changed since the last look. Never throws. */
  async look(signal?: AbortSignal): Promise<void> {
    this.#fault = undefined;
    try {
      // It is not made: a path that nobody writes to would look like a folder that is empty.
      await readdir(this.#settings.folder);
      for (const folder of ['sent', 'failed'])
        await mkdir(join(this.#settings.folder, folder), { recursive: true, mode: FOLDER_MODE });
      const found = await this.#list();
      const before = this.#seen;
      this.#seen = new Map();
      for (const { name, stamp } of found) {
        const known = before.get(name);
        this.#seen.set(
          name,
          known?.stamp === stamp ? known : { stamp, attempts: 0, notBefore: 0, isHandedOver: false },
        );
      }
      for (const file of found) {
        if (signal?.aborted) return;
        if (before.get(file.name)?.stamp === file.stamp) await this.#handle(file);
      }
      this.#failed = (await readdir(this.#path('failed'))).filter((name) => IS_EML.test(name)).length;
    } catch (error) {
      this.#say('The drop folder cannot be used', error);
    }
  }

  /** Oldest first. Folders, links and other files are left alone. */
  async #list(): Promise<readonly Found[]> {
    const names = (await readdir(this.#settings.folder)).filter((name) => IS_EML.test(name));
    const found: Found[] = [];
    const now = this.#world.now().getTime();
    const empty = new Map<string, number>();
    for (const name of names) {
      if (name.includes('\uFFFD')) {
        this.#fault = 'The drop folder has a file whose name is not in UTF-8. It was not sent. Rename it.';
        continue;
      }
      const stats = await lstat(this.#path(name)).catch((error: unknown) => {
        // Its program has taken it away again.
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (!stats?.isFile()) continue;
      const { size, mtimeMs, ctimeMs, ino } = stats;
      if (size === 0) {
        const since = this.#emptySince.get(name) ?? now;
        empty.set(name, since);
        if (now - since < EMPTY_MS) continue;
      }
      found.push({ name, size, mtimeMs, ctimeMs, stamp: `${size} ${mtimeMs} ${ino}` });
    }
    this.#emptySince = empty;
    return found.sort((one, other) => one.mtimeMs - other.mtimeMs || (one.name < other.name ? -1 : 1));
  }

  async #handle(file: Found): Promise<void> {
    const seen = this.#seen.get(file.name);
    if (seen === undefined || seen.notBefore > this.#world.now().getTime()) return;
    try {
      if (!seen.isHandedOver) {
        const reason = await this.#send(file, seen);
        if (reason === 'later') {
          seen.attempts += 1;
          seen.notBefore = this.#world.now().getTime() + pauseMs(seen.attempts, { waitMs: undefined });
          return;
        }
        if (reason !== undefined) {
          await this.#fail(file, reason);
          this.#seen.delete(file.name);
          return;
        }
        seen.isHandedOver = true;
      }
      await (this.#settings.sent === 'delete' ? rm(this.#path(file.name)) : this.#move(file.name, 'sent'));
      // The next file of this name is another one, also where it looks the same.
      this.#seen.delete(file.name);
    } catch (error) {
      this.#say('A file of the drop folder cannot be read or moved', error);
    }
  }

  /** Returns why the file can never be sent, that it can later, or nothing if the relay or the spool has it. */
  async #send(file: Found, seen: Seen): Promise<FailureReason | 'later' | undefined> {
    const { maxBytes, account } = this.#settings;
    const { judge, deliver, now } = this.#world;
    const failure = (reason: string, text: string) =>
      ({ at: now().toISOString(), kind: 'refused', reason, text }) as const;
    if (file.size > maxBytes)
      return failure(
        'FILE_TOO_LARGE',
        `Expected at most ${maxBytes} bytes ("maxBytes"), received ${file.size}.`,
      );
    const bytes = await this.#read(file);
    if (bytes === undefined) return 'later';
    const judged = await judge(bytes);
    if (judged.kind === 'refused') return failure('MESSAGE_REFUSED', judged.text);
    seen.key ??= keyOf(file, bytes);
    const { key } = seen;
    const delivered = await deliver({
      id: key.slice(0, 16),
      account,
      receivedAt: now(),
      contentType: judged.contentType,
      body: judged.body,
      idempotencyKey: OWN_KEY.test(judged.idempotencyKey) ? `file-${key}` : judged.idempotencyKey,
    });
    if (delivered.kind === 'refused') return failure('RELAY_REFUSED', delivered.text);
    return delivered.kind === 'later' ? 'later' : undefined;
  }

  /** Reads a file if it is still the one that was found, and no link to another. */
  async #read({ name, stamp }: Found): Promise<Buffer | undefined> {
    const handle = await open(this.#path(name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const bytes = await handle.readFile();
      const { size, mtimeMs, ino } = await handle.stat();
      return `${size} ${mtimeMs} ${ino}` === stamp && bytes.length === size ? bytes : undefined;
    } finally {
      await handle.close();
    }
  }

  async #fail({ name }: Found, reason: FailureReason): Promise<void> {
    const target = await this.#freeName(name, 'failed');
    await writeReason(
      this.#path('failed', reasonFileOf(target)),
      reason,
      this.#path('failed', `${reasonFileOf(target)}.draft`),
    );
    await rename(this.#path(name), this.#path('failed', target));
    this.#world.log('error', 'FileFailed', {
      account: this.#settings.account,
      // Its name can have an address in it.
      file: oneLine(target),
      reason: reason.reason,
      say: oneLine(reason.text),
    });
  }

  async #move(name: string, folder: 'sent'): Promise<void> {
    await rename(this.#path(name), this.#path(folder, await this.#freeName(name, folder)));
  }

  /** The name of a file, or the next like it: an earlier file of the same name is not overwritten. */
  async #freeName(name: string, folder: 'sent' | 'failed'): Promise<string> {
    const stem = cutBytes(name.replace(IS_EML, ''), MAX_STEM_BYTES);
    const taken = new Set(await readdir(this.#path(folder)));
    for (let number = 1; ; number += 1) {
      const free = number === 1 ? `${stem}.eml` : `${stem}-${number}.eml`;
      if (!taken.has(free) && !taken.has(`${free}${REASON_SUFFIX}`)) return free;
    }
  }

  #say(what: string, error: unknown): void {
    const code = codeOf(error);
    const todo =
      code === 'ENOENT'
        ? 'Make the folder, or correct "dropFolder" in the configuration.'
        : 'Give the user of the door the right to read, rename and delete in it.';
    this.#fault = `${what} (${code}). ${todo}`;
    this.#world.log('error', 'DropFolderFault', { code });
  }

  #path(...names: readonly string[]): string {
    return join(this.#settings.folder, ...names);
  }
}

/**
 * The same after a crash between sending a file and moving it. The times are part of it, so that a program which writes the same alert
 * into the same name again gets a second email: a copy can keep the time of its content, but not when it came into the folder (ctime).
 */
const keyOf = ({ name, mtimeMs, ctimeMs }: Found, bytes: Buffer): string =>
  createHash('sha256')
    .update(JSON.stringify([name, mtimeMs, ctimeMs]))
    .update(bytes)
    .digest('hex');

const cutBytes = (text: string, most: number): string => {
  let cut = text;
  while (Buffer.byteLength(cut) > most) cut = [...cut].slice(0, -1).join('');
  return cut;
};
