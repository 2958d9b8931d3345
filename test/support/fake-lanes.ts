import type { LaneEntry } from '../../src/lib/ports.ts';
import { EMPTY_LANE, type Lane } from '../../src/lib/sending/mailbox-lane.ts';
import { saveMap } from './save.ts';

/** Lanes of mailboxes in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeLanes = {
  readonly read: (mailbox: string) => LaneEntry;
  readonly write: (
    mailbox: string,
    lane: Lane,
    etag: string | undefined,
    now: Date,
  ) => { readonly isOwn: boolean; readonly entry: LaneEntry };
  readonly expire: (before: Date) => void;
  readonly save: () => () => void;
  readonly all: () => ReadonlyMap<string, LaneEntry>;
};

const NONE: LaneEntry = { lane: EMPTY_LANE };

export const makeFakeLanes = (): FakeLanes => {
  const entries = new Map<string, LaneEntry & { readonly writtenAt: Date }>();
  const versions = new Map<string, number>();
  const read = (mailbox: string): LaneEntry => {
    const { lane, etag } = entries.get(mailbox) ?? NONE;
    return { lane, ...(etag === undefined ? {} : { etag }) };
  };
  return {
    read,
    write: (mailbox, lane, etag, now) => {
      if (read(mailbox).etag !== etag) return { isOwn: false, entry: read(mailbox) };
      const version = (versions.get(mailbox) ?? 0) + 1;
      versions.set(mailbox, version);
      const entry = { lane, etag: `"${version}"` };
      entries.set(mailbox, { ...entry, writtenAt: now });
      return { isOwn: true, entry };
    },
    expire: (before) => {
      for (const [mailbox, { writtenAt }] of entries) if (writtenAt < before) entries.delete(mailbox);
    },
    save: () => {
      const back = [saveMap(entries), saveMap(versions)];
      return () => {
        for (const restore of back) restore();
      };
    },
    all: () => entries,
  };
};
