import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import {
  type Arrival,
  type Judge,
  type Judged,
  judgeMessage,
  type MessageSettings,
} from './judge-message.ts';
import { type Refusal, refuse } from './refusal.ts';

/** A smaller one is judged in the time that a thread needs to start. */
const LARGE_BYTES = 1_000_000;
/** Each needs several times the memory of its message. */
const MOST_THREADS = Math.min(2, availableParallelism());
const HEAP_MB = 1024;

type Task = { readonly arrival: Arrival; readonly settings: MessageSettings };

const TOO_MUCH = refuse(
  'The message needs too much memory to be read. Send it in several smaller ones.',
  '5.3.4',
  552,
);

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Lets so many run at the same time; the others wait in their order. */
const atMost = (most: number) => {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
};

const inThread = (program: URL, heapMb: number, task: Task): Promise<Judged | Refusal> =>
  new Promise((resolve, reject) => {
    const thread = new Worker(program, {
      workerData: task,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    let said: Judged | Refusal | undefined;
    thread.once('message', (judged: Judged | Refusal) => {
      said = judged.kind === 'refused' ? judged : { ...judged, body: asBuffer(judged.body) };
    });
    thread.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve(TOO_MUCH);
      else reject(error);
    });
    // Only then is its memory free for the next one.
    thread.once('exit', () => {
      if (said === undefined) reject(new Error('Expected a judgement of the thread, received none.'));
      else resolve(said);
    });
  });

/**
 * Judges large messages in threads of their own, each of which ends with its message, so that other clients and health do not wait, and
 * one that needs too much memory does not end the door. `program` is the file that runs in them; it calls `judgeForDoor`.
 */
export const judgeApart = (program: URL, heapMb = HEAP_MB): Judge => {
  const inTurn = atMost(1);
  const inThreads = atMost(MOST_THREADS);
  return (arrival, settings) =>
    arrival.bytes.length > LARGE_BYTES
      ? inThreads(() => inThread(program, heapMb, { arrival, settings }))
      : inTurn(() => judgeMessage(arrival, settings));
};

/** What a thread does: judges its message, and ends. */
export const judgeForDoor = async (): Promise<void> => {
  const { arrival, settings } = workerData as Task;
  parentPort?.postMessage(await judgeMessage({ ...arrival, bytes: asBuffer(arrival.bytes) }, settings));
};
