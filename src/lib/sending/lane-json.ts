import * as z from 'zod';
import { EMPTY_LANE, type Lane } from './mailbox-lane.ts';

/** Of starts at one time: more is damage, and would only cost time. */
const MOST = 100_000;
const time = z.number();
const count = z.int().min(0);
const run = z
  .tuple([time, z.number().min(0), z.int().min(1)])
  .refine(([, step, many]) => step > 0 || many <= MOST);

/** A field that nobody can read is as in an empty lane. What a later version added stays for that version. */
const LANE = z.looseObject({
  booked: z.array(run).catch([]),
  free: z.array(time).catch([]),
  taken: z.array(time).catch([]),
  standing: z.array(z.looseObject({ owner: z.string(), count, until: time, recipients: count })).catch([]),
  users: z.record(z.string(), time).catch({}),
  askUpTo: time.catch(0),
  bulkUpTo: time.catch(0),
  lastBulk: time.catch(0),
  phase: z.int().min(0).max(14).multipleOf(2).catch(0),
  largeUpTo: time.catch(0),
  renewedAt: time.catch(0),
  pausedUntil: time.catch(0),
  isProbing: z.boolean().catch(false),
  probe: time.catch(0),
  cut: z
    .looseObject({ perMinute: z.int().min(1), at: time })
    .optional()
    .catch(undefined),
  crowded: z.looseObject({ count, until: time }).catch(EMPTY_LANE.crowded),
  callMs: z.number().min(1).max(60_000).catch(EMPTY_LANE.callMs),
  bytes: z.array(z.tuple([time, z.number().min(0)])).catch([]),
  late: z.looseObject({ count, since: time }).catch(EMPTY_LANE.late),
  lateUntil: time.catch(0),
  hours: z.record(z.string(), count).catch({}),
  reserved: z.record(z.string(), count).catch({}),
  waiting: z.record(z.string(), count).catch({}),
});

/** The lane of a text. What another version wrote otherwise, or what is damaged, is as never promised: it is asked for again. */
export const laneOfText = (text: string): Lane => {
  try {
    const { cut, ...lane } = LANE.parse(JSON.parse(text));
    return { ...lane, ...(cut === undefined ? {} : { cut }) };
  } catch {
    return EMPTY_LANE;
  }
};
