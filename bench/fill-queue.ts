import { closedLoop } from './closed-loop.ts';
import type { RawStorage } from './raw-storage.ts';
import { mailboxOf, sampleMail } from './sample-mail.ts';

/** Enough to keep storage busy. */
const AT_ONCE = 8;

export type Filling = { readonly count: number; readonly mailboxes: number; readonly visibleInMs: number };

/** Puts bare mails on a queue, the mailboxes in turn, all visible at the same time, to the second. */
export const fillQueue = async (storage: RawStorage, queue: string, filling: Filling): Promise<void> => {
  const visibleAt = Date.now() + filling.visibleInMs;
  await closedLoop({ count: filling.count, concurrency: AT_ONCE }, (index) =>
    storage.putMessage(
      queue,
      JSON.stringify(sampleMail(mailboxOf(index, filling.mailboxes))),
      Math.max(0, Math.ceil((visibleAt - Date.now()) / 1000)),
    ),
  );
};
