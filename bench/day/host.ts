import { catalogue } from '../../src/lib/error-catalogue.ts';
import { AppError } from '../../src/lib/errors.ts';
import type { Message } from './queue.ts';
import type { Process } from './storage.ts';
import { makeUseCases, type UseCases, type World } from './use-cases.ts';

/** As in host.json. */
const BATCH = 16;
const NEW_BATCH_THRESHOLD = 8;
const MOST_HTTP = 32;
const FAILED_HIDDEN_MS = 30_000;
const MOST_DEQUEUES = 5;
const FUNCTION_TIMEOUT_MS = 300_000;
const LONGEST_POLL_MS = 2000;
const SHORTEST_POLL_MS = 100;
/** What an invocation does besides waiting, one after another in its process. */
const WORK_MS = 6;
/** How long messages stay hidden whose host died (observed). */
const INVISIBLE_MS = 600_000;
const START_MS = 5000;
/** A replaced instance has so long to end what it does. */
const DRAIN_MS = 60_000;
const REPLACED_EVERY_MS = 15_000;
const CLOCKS_DIFFER_MS = 2000;
/** How often the host's deletion of a message is lost, and how often a message is given twice. */
const DELETION_LOST = 0.0001;
const GIVEN_TWICE = 0.0001;
/** Flex Consumption bills each active period of an instance: at least a second, then by tenths. */
const LEAST_BILLED_MS = 1000;
const BILLED_STEP_MS = 100;

type Instance = {
  readonly group: 'http' | 'queue';
  readonly process: Process;
  readonly useCases: UseCases;
  isOpen: boolean;
  busySince: number;
  freeAt: number;
  pollMs: number;
  readonly messages: Set<Message>;
  readonly running: Set<{ readonly began: number }>;
  readonly onDeath: Set<() => void>;
};

/** What an application hears of its request. */
export type HttpAnswer =
  | { readonly kind: 'accepted' | 'no answer' | 'busy' }
  | { readonly kind: 'again' | 'refused'; readonly code: string };

/**
 * Instances of a simulated functions host with the real use cases. Those of HTTP and of the queue scale apart, as in Azure. They are
 * replaced, and they die; then nothing is left of what they had in memory.
 */
export const makeHost = (world: World, count: number) => {
  const { time, random, storage, queue, poison } = world;
  const executions = { http: 0, queue: 0, other: 0 };
  const ended = { killed: 0, replaced: 0, timedOut: 0 };
  const problems: string[] = [];
  let billedMs = 0;
  let busyMs = 0;
  let made = 0;

  const open = (group: Instance['group']): Instance => {
    made += 1;
    const process: Process = { skewMs: CLOCKS_DIFFER_MS * (2 * random() - 1), isAlive: true };
    return {
      group,
      process,
      useCases: makeUseCases(world, process, `instance-${made}`),
      isOpen: true,
      busySince: 0,
      freeAt: 0,
      pollMs: SHORTEST_POLL_MS,
      messages: new Set(),
      running: new Set(),
      onDeath: new Set(),
    };
  };

  const bill = (ms: number): void => {
    busyMs += ms;
    billedMs += Math.max(LEAST_BILLED_MS, Math.ceil(ms / BILLED_STEP_MS) * BILLED_STEP_MS);
  };

  const run = async <Value>(
    instance: Instance,
    kind: keyof typeof executions,
    work: () => Promise<Value>,
  ): Promise<Value> => {
    const invocation = { began: time.now() };
    if (instance.running.size === 0) instance.busySince = time.now();
    instance.running.add(invocation);
    executions[kind] += 1;
    try {
      instance.freeAt = Math.max(instance.freeAt, time.now()) + WORK_MS;
      await time.sleep(instance.freeAt - time.now());
      if (!instance.process.isAlive) await new Promise<never>(() => undefined);
      return await work();
    } finally {
      instance.running.delete(invocation);
      if (instance.running.size === 0) bill(time.now() - instance.busySince);
    }
  };

  const moveToPoison = (message: Message): void => {
    storage.requests.queuePuts += 1;
    storage.requests.queueDeletes += 1;
    poison.put(message.text, 0, poison.newId());
    queue.remove(message);
  };

  const deliver = async (instance: Instance, message: Message): Promise<void> => {
    if (message.dequeueCount > MOST_DEQUEUES) return moveToPoison(message);
    instance.messages.add(message);
    try {
      await run(instance, 'queue', () => instance.useCases.deliver(message));
    } catch (failure) {
      instance.messages.delete(message);
      note(failure);
      storage.requests.queueOthers += 1;
      if (message.dequeueCount >= MOST_DEQUEUES) moveToPoison(message);
      else queue.giveBack(message, FAILED_HIDDEN_MS);
      return;
    }
    storage.requests.queueDeletes += 1;
    storage.rates.queue.note(time.now());
    await time.sleep(5);
    if (!instance.process.isAlive) return;
    instance.messages.delete(message);
    if (random() < DELETION_LOST) queue.giveBack(message, INVISIBLE_MS * random());
    else queue.remove(message);
  };

  const note = (failure: unknown): void => {
    if (!(failure instanceof AppError && failure.code === 'STORAGE_UNAVAILABLE'))
      problems.push(`an invocation threw ${String((failure as Error).stack)}`);
  };

  const poll = (instance: Instance): void => {
    if (!instance.process.isAlive || !instance.isOpen) return;
    let taken: readonly Message[] = [];
    const hasRoom = instance.messages.size <= NEW_BATCH_THRESHOLD;
    if (hasRoom) {
      storage.requests.queueGets += 1;
      storage.rates.queue.note(time.now());
      taken = queue.take(BATCH);
      for (const message of taken) {
        if (random() < GIVEN_TWICE) queue.giveTwice(message, 60_000 * random());
        void deliver(instance, message);
      }
    }
    if (hasRoom)
      instance.pollMs =
        taken.length > 0 ? SHORTEST_POLL_MS : Math.min(LONGEST_POLL_MS, instance.pollMs * 1.5);
    const nextMs = !hasRoom ? 20 : taken.length > 0 ? 10 : instance.pollMs * (0.8 + 0.4 * random());
    time.at(time.now() + nextMs, () => poll(instance));
  };

  const groups = { http: Math.max(1, Math.round(count * 0.4)), queue: 0 };
  groups.queue = Math.max(1, count - groups.http);
  const instances: Instance[] = [];

  const start = (place: number, group: Instance['group']): void => {
    const instance = open(group);
    instances[place] = instance;
    if (group === 'queue') time.at(time.now() + START_MS * (1 + random()), () => poll(instance));
  };
  for (let place = 0; place < groups.http + groups.queue; place += 1)
    start(place, place < groups.http ? 'http' : 'queue');

  /** Ends a process with all that it holds. */
  const end = (instance: Instance, how: keyof typeof ended): void => {
    if (!instance.process.isAlive) return;
    instance.process.isAlive = false;
    instance.isOpen = false;
    ended[how] += 1;
    if (instance.running.size > 0) bill(time.now() - instance.busySince);
    for (const message of instance.messages) queue.giveBack(message, INVISIBLE_MS);
    for (const tell of instance.onDeath) tell();
  };

  const anyOf = (group: Instance['group']): Instance | undefined => {
    const able = instances.filter(
      (one) => one.group === group && one.isOpen && (group === 'queue' || one.running.size < MOST_HTTP),
    );
    return able[Math.floor(random() * able.length)];
  };

  const onOne = async (kind: 'other', work: (useCases: UseCases) => Promise<unknown>): Promise<void> => {
    const instance = anyOf('queue');
    if (instance !== undefined) await run(instance, kind, () => work(instance.useCases)).catch(note);
  };

  return {
    /** Sends an email by HTTP; `answer` is called once. */
    post: async (
      input: object,
      key: string,
      isAsync: boolean,
      answer: (heard: HttpAnswer) => void,
    ): Promise<void> => {
      const instance = anyOf('http');
      if (instance === undefined) return answer({ kind: 'busy' });
      const tell = () => answer({ kind: 'no answer' });
      instance.onDeath.add(tell);
      const heard = await run(instance, 'http', () => instance.useCases.send(input, key, isAsync)).then(
        (): HttpAnswer => ({ kind: 'accepted' }),
        toAnswer,
      );
      instance.onDeath.delete(tell);
      answer(heard);
    },
    sweep: () => onOne('other', (useCases) => useCases.sweep()),
    /** Runs what holds the messages that the host gave up on. */
    holdPoison: async (): Promise<void> => {
      for (const message of poison.take(BATCH)) {
        await onOne('other', (useCases) => useCases.hold(message));
        poison.remove(message);
      }
    },
    /** Kills any instance; another takes its place. */
    killOne: (): void => {
      const place = Math.floor(random() * instances.length);
      const instance = instances[place];
      if (instance === undefined) return;
      end(instance, 'killed');
      start(place, instance.group);
    },
    /** Replaces all instances, one after another: old and new ones work side by side. */
    deploy: (): void => {
      instances.forEach((_, place) => {
        time.at(time.now() + place * REPLACED_EVERY_MS, () => {
          const old = instances[place];
          if (old === undefined) return;
          old.isOpen = false;
          start(place, old.group);
          time.at(time.now() + DRAIN_MS, () => end(old, 'replaced'));
        });
      });
    },
    /** Ends what runs for too long, as the host does. */
    endStuck: (): void => {
      instances.forEach((instance, place) => {
        const [oldest] = instance.running;
        if (oldest === undefined || time.now() - oldest.began <= FUNCTION_TIMEOUT_MS) return;
        end(instance, 'timedOut');
        start(place, instance.group);
      });
    },
    executions,
    ended,
    problems,
    billed: () => ({ billedMs, busyMs }),
  };
};

const MAY_REPEAT = new Set(['MAIL_UNDER_WAY']);

/** What an application does of an error: repeats its request with the same key, or gives up. */
const toAnswer = (error: unknown): HttpAnswer => {
  if (!(error instanceof AppError)) throw error;
  const { status } = catalogue[error.code];
  const isAgain = status === 429 || status >= 500 || MAY_REPEAT.has(error.code);
  return { kind: isAgain ? 'again' : 'refused', code: error.code };
};
