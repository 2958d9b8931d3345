import type { BenchCloud, BenchStorage } from './cloud.ts';
import { startRelay } from './relay-under-load.ts';
import { mailboxOf } from './sample-mail.ts';
import { until } from './until.ts';

/** Longer than any measurement here takes: the process is ended while Graph still holds its responses. */
const GRAPH_TAKES_MS = 300_000;
const SETTINGS = { GRAPH_TIMEOUT_SECONDS: '90' };
const PATIENCE_MS = 80_000;
/** A reading this much below the last one shows that garbage was still there. */
const STILL_FALLING = 0.01;

/** Bytes of heap and external memory that the process holds more for each email, once Graph has all and has answered none. */
export const measureHeld = async (
  appFolder: string,
  { cloud, storage }: { readonly cloud: BenchCloud; readonly storage: BenchStorage },
  emails: readonly Uint8Array[],
): Promise<number> => {
  const relay = await startRelay(appFolder, cloud, storage, SETTINGS);
  try {
    await cloud.delay(0);
    // What is kept for later emails is not held for one.
    for (const email of emails) await relay.postBody(email);
    const before = (await relay.readUse({ collect: true })).heldBytes;
    const earlier = (await cloud.offered()).length;

    await cloud.delay(GRAPH_TAKES_MS);
    const early: string[] = [];
    for (const email of emails)
      relay.postBody(email).then(
        ({ status, text }) => early.push(`${status} ${text}`),
        // The connection ends with the process.
        () => undefined,
      );
    let inProgress = 0;
    const look = async () => {
      const offered = (await cloud.offered()).slice(earlier);
      inProgress = offered.filter(({ status }) => status === null).length;
    };
    if (!(await until(() => inProgress === emails.length || early.length > 0, PATIENCE_MS, look)))
      throw new Error(`Expected ${emails.length} emails at Graph together, received ${inProgress}.`);
    let last = Number.POSITIVE_INFINITY;
    let now = (await relay.readUse({ collect: true })).heldBytes;
    while (now < last * (1 - STILL_FALLING)) {
      last = now;
      now = (await relay.readUse({ collect: true })).heldBytes;
    }
    if (early.length > 0)
      throw new Error(`Expected no response while Graph holds its own, received ${early.join(', ')}`);
    return (now - before) / emails.length;
  } finally {
    await relay.kill();
    await cloud.delay(0);
  }
};

/** Of different mailboxes, since one takes four at a time. */
export const forEachMailbox = (count: number, make: (mailbox: string) => Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, index) => make(mailboxOf(index)));
