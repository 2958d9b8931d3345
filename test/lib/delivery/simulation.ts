import { RELAY } from '../../../src/lib/callers/known-callers.ts';
import { catalogue } from '../../../src/lib/error-catalogue.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { isFinal, isUntold } from '../../../src/lib/ledger/ledger-row.ts';
import { eventOf } from '../../../src/lib/ledger/mail-event.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import type { MailStory } from '../../support/mail-promises.ts';
import { saveMap } from '../../support/save.ts';
import type { Fate } from '../../support/stepper.ts';
import { FILES, makeSimulatedCloud, type SimulatedCloud } from './simulated-cloud.ts';
import {
  type HttpAnswer,
  type HttpRequest,
  makeSimulatedRelay,
  type RelayOptions,
} from './simulated-relay.ts';

type Policy = MailStory['policy'];

/** One thing that can happen; `one` chooses among those that are there. */
export type Act =
  | {
      readonly kind: 'put';
      readonly policy: Policy;
      readonly large: boolean;
      readonly key: number | null;
      readonly laterMs: number;
      /** What the email has beside that. */
      readonly more?: object;
      /** There is a second copy of its message from the beginning. */
      readonly isDoubled?: boolean;
    }
  | {
      readonly kind: 'post';
      readonly process: number;
      readonly policy: Policy;
      readonly large: boolean;
      readonly respondAsync: boolean;
      readonly laterMs: number;
      readonly more?: object;
      /** Its caller knows nothing of keys, and does not ask again. */
      readonly isKeyless?: boolean;
      /** The key that the application uses for the email by its queue too. */
      readonly key?: number;
    }
  | {
      readonly kind: 'ask again' | 'replay' | 'cancel' | 'close';
      readonly process: number;
      readonly one: number;
    }
  | {
      readonly kind: 'reschedule';
      readonly process: number;
      readonly one: number;
      readonly laterMs: number;
    }
  | { readonly kind: 'sweep'; readonly process: number }
  | { readonly kind: 'deliver' | 'held'; readonly process: number; readonly which?: string }
  | { readonly kind: 'step'; readonly one: number; readonly fate: Fate; readonly variant?: number }
  | { readonly kind: 'kill'; readonly process: number; readonly happens: number }
  | { readonly kind: 'wait'; readonly ms: number; readonly happens: number };

type ModelMail = {
  readonly mailId: string;
  readonly policy: Policy;
  readonly content: unknown;
  accepted: boolean;
  toldSent: boolean;
  toldCanceled: boolean;
  mayBeClosed: boolean;
  /** Requests to send it at another time that are not answered. */
  moving: number;
  replays: number;
};
type Client = {
  readonly mail: ModelMail;
  readonly request: HttpRequest;
  asking: number;
  answered: boolean;
  /** When it may ask again, as it was told. */
  notBefore: Date;
};

/** Fits a queue message as an application writes it, and not in the relay's own envelope. */
const LARGE_TEXT = 'x'.repeat(50_000);
const SMALL_FILES = Array.from({ length: FILES }, (_, index) => ({
  filename: `file ${index}.txt`,
  content: 'aGVsbG8=',
}));
const ASK_AGAIN_AFTER_MS = 15_000;
const HOUR_MS = 3_600_000;
/** A bound on the end of a run: the sweep gives up on what has gone after seven days. */
const MOST_ROUNDS = 5000;

export type SimulationOptions = RelayOptions & {
  readonly sentItemsDelayMs: number;
  /** Of each caller; without it there is no limit. */
  readonly mailsPerDay?: number;
  /** It can be brought back to where it was. */
  readonly isReplayable?: boolean;
};

/** The relay, its cloud, and the applications that use it. */
export const makeSimulation = (options: SimulationOptions) => {
  const cloud = makeSimulatedCloud(options.sentItemsDelayMs, options);
  const relay = makeSimulatedRelay(cloud, options);
  const mails = new Map<string, ModelMail>();
  const clients: Client[] = [];
  // What processes that are brought back tell of it must find the same object, although it was made anew.
  const pool = new Map<string, ModelMail>();
  const clientPool = new Map<string, Client>();

  const contentOf = (policy: Policy, large: boolean, laterMs: number, more: object = {}, key?: string) =>
    aMail({
      ...(laterMs === 0 ? {} : { sendAt: new Date(cloud.now().getTime() + laterMs).toISOString() }),
      onUnknown: policy,
      subject: key ?? `Mail ${mails.size}`,
      attachments: SMALL_FILES,
      ...(large ? { text: LARGE_TEXT } : {}),
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...more,
    });
  const add = (mailId: string, policy: Policy, content: unknown, accepted: boolean): ModelMail => {
    const mail = theOne(pool, mailId, {
      mailId,
      policy,
      content,
      accepted,
      toldSent: false,
      toldCanceled: false,
      mayBeClosed: false,
      moving: 0,
      replays: 0,
    });
    mails.set(mailId, mail);
    const { sendAt } = content as { readonly sendAt?: string };
    if (sendAt !== undefined) cloud.notBefore.set(mailId, new Date(sendAt));
    return mail;
  };

  const put = ({ policy, large, key, laterMs, more, isDoubled }: Extract<Act, { kind: 'put' }>): void => {
    const name = key === null ? undefined : `${policy}-${large}-${key}`;
    const content = contentOf(policy, large, key === null ? laterMs : 0, more, name);
    const json = JSON.stringify(content);
    const id = cloud.queue.put(large ? json : Buffer.from(json).toString('base64'), 0, cloud.now());
    if (isDoubled) cloud.queue.copy(id);
    const mailId =
      name === undefined
        ? IDENTITY.mailIdOfMessage(id)
        : IDENTITY.mailIdOfKey(options.queueOf ?? 'queue', name);
    if (!mails.has(mailId)) add(mailId, policy, content, true);
  };

  const ask = (client: Client, process: number): Promise<void> => {
    client.asking += 1;
    return relay.post(process, client.request, (received) => {
      client.asking -= 1;
      hear(client, received);
    });
  };
  const hear = (client: Client, received: HttpAnswer): void => {
    const { mail } = client;
    const heard = `${mail.mailId} caller hears ${describe(received)}`;
    if (cloud.history.at(-1) !== heard) cloud.history.push(heard);
    if (received === 'no answer') return;
    if (received instanceof AppError) {
      if (received.code === 'MAIL_CANCELED') {
        client.answered = true;
        return;
      }
      const { retryAfterSeconds } = received.facts;
      if (retryAfterSeconds !== undefined)
        client.notBefore = new Date(cloud.now().getTime() + retryAfterSeconds * 1000);
      if (catalogue[received.code].fixedBy === 'caller')
        cloud.problems.push(`a good mail was refused: ${received.code}`);
      // What only an administrator can mend, other than a doubt, means that the caller keeps the mail.
      if (catalogue[received.code].fixedBy === 'administrator' && received.code !== 'OUTCOME_UNKNOWN')
        client.answered = true;
      return;
    }
    client.answered = true;
    mail.accepted = true;
    if (received.row.fate.state === 'sent') mail.toldSent = true;
  };
  const post = ({
    policy,
    large,
    respondAsync,
    laterMs,
    process,
    more,
    isKeyless = false,
    key: shared,
  }: Extract<Act, { kind: 'post' }>): Promise<void> => {
    const key = shared === undefined ? `key-${clients.length}` : `${policy}-${large}-${shared}`;
    const subject = shared === undefined ? {} : { subject: key };
    const input = contentOf(policy, large, laterMs, { ...subject, ...more });
    const newId = toUuid(clients.length);
    const mailId = isKeyless ? newId : IDENTITY.mailIdOfKey('key:test', key);
    const content = isKeyless ? input : { ...input, idempotencyKey: key };
    const mail = mails.get(mailId) ?? add(mailId, policy, content, false);
    const client = theOne(clientPool, `${clients.length} ${mailId}`, {
      mail,
      request: isKeyless ? { input, key: undefined, newId, respondAsync } : { input, key, respondAsync },
      asking: 0,
      // It asks once, whatever it hears.
      answered: isKeyless,
      notBefore: cloud.now(),
    });
    clients.push(client);
    return ask(client, process);
  };

  const replay = async (process: number, one: number): Promise<void> => {
    const asides = cloud.ledger.rows().filter(({ fate }) => fate.state === 'held');
    const row = asides[one % Math.max(asides.length, 1)];
    if (row === undefined) return;
    const mail = mails.get(row.facts.mailId);
    if (mail !== undefined) mail.replays += 1;
    await relay.replay(process, row.facts.mailId);
  };

  const cancel = async (process: number, one: number): Promise<void> => {
    // One that has ended now and then; the others are the race.
    const rows = one === 0 ? cloud.ledger.rows() : open();
    const row = rows[one % Math.max(rows.length, 1)];
    const mail = mails.get(row?.facts.mailId ?? '');
    if (row === undefined || mail === undefined) return;
    await relay.cancel(process, row.facts.mailId, row.facts.caller, () => {
      cloud.history.push(`${row.facts.mailId} caller hears canceled`);
      mail.toldCanceled = true;
    });
  };

  const close = async (process: number, one: number): Promise<void> => {
    const rows = cloud.ledger.rows().filter((row) => row.fate.state === 'held' || !isFinal(row));
    const row = rows[one % Math.max(rows.length, 1)];
    const mail = mails.get(row?.facts.mailId ?? '');
    if (row === undefined || mail === undefined) return;
    mail.mayBeClosed = true;
    await relay.close(process, row.facts.mailId);
  };

  const reschedule = async (process: number, one: number, laterMs: number): Promise<void> => {
    const rows = cloud.ledger
      .rows()
      .filter(({ facts, fate }) => facts.sendAt !== undefined && fate.state === 'queued');
    const row = rows[one % Math.max(rows.length, 1)];
    const mail = mails.get(row?.facts.mailId ?? '');
    if (row === undefined || mail === undefined) return;
    const { mailId, caller } = row.facts;
    const due = new Date(cloud.now().getTime() + laterMs);
    // Until it is answered, either time may be the one that counts.
    const before = cloud.notBefore.get(mailId) ?? due;
    cloud.notBefore.set(mailId, before < due ? before : due);
    mail.moving += 1;
    await relay.reschedule(process, mailId, caller, due.toISOString(), () => {
      cloud.history.push(`${mailId} caller hears that it goes at ${due.toISOString()}`);
      mail.moving -= 1;
      if (mail.moving === 0) cloud.notBefore.set(mailId, due);
    });
  };

  const perform = async (act: Act): Promise<void> => {
    switch (act.kind) {
      case 'put':
        return put(act);
      case 'post':
        return post(act);
      case 'ask again': {
        const waiting = clients.filter(({ answered, asking }) => !answered && asking < 2);
        const client = waiting[act.one % Math.max(waiting.length, 1)];
        return client === undefined ? undefined : ask(client, act.process);
      }
      case 'replay':
        return replay(act.process, act.one);
      case 'cancel':
        return cancel(act.process, act.one);
      case 'close':
        return close(act.process, act.one);
      case 'reschedule':
        return reschedule(act.process, act.one, act.laterMs);
      case 'deliver':
        return void (await relay.deliver(act.process, act.which));
      case 'held':
        return void (await relay.hold(act.process, act.which));
      case 'sweep':
        return relay.sweep(act.process);
      case 'step':
        return void (await cloud.processes.take(act.one, act.fate, act.variant));
      case 'kill':
        return relay.kill(act.process, chosenBy(act.happens));
      case 'wait':
        return relay.wait(act.ms, chosenBy(act.happens));
    }
  };

  const quiet = async (): Promise<void> => {
    while (cloud.processes.steps().length > 0) await cloud.processes.take(0, 'answered');
  };
  const open = () => cloud.ledger.rows().filter((row) => !isFinal(row));

  /** From here on all goes well: messages are delivered, callers ask until they are answered, the sweep runs. */
  const finish = async (): Promise<void> => {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const process = anyOfTwo(round);
      await quiet();
      if ((await relay.deliver(process)) || (await relay.hold(process))) continue;
      const unanswered = clients.filter(({ answered }) => !answered);
      const ready = unanswered.filter(({ notBefore }) => notBefore <= cloud.now());
      if (ready.length > 0) {
        for (const client of ready) await ask(client, process);
        await quiet();
        await relay.wait(ASK_AGAIN_AFTER_MS, () => false);
        continue;
      }
      const told = unanswered.map(({ notBefore }) => notBefore);
      const next = [cloud.queue.nextVisibleAt(), cloud.poison.nextVisibleAt(), ...told]
        .filter((time) => time !== undefined)
        .toSorted((a, b) => a.getTime() - b.getTime())[0];
      if (next !== undefined) {
        cloud.advanceTo(next);
        continue;
      }
      if (open().length === 0) break;
      await relay.wait(HOUR_MS, () => false);
      await relay.sweep(process);
    }
    // Whatever nobody needs is gone nine days later.
    cloud.advanceTo(new Date(cloud.now().getTime() + 9 * 24 * HOUR_MS));
    await relay.sweep(0);
    await quiet();
  };

  return {
    cloud,
    relay,
    options,
    perform,
    finish,
    /** Those who may ask once more now, and when the others may. */
    clients: () => clients.filter(({ answered, asking }) => !answered && asking < 2),
    /** Remembers everything as it is, and gives what brings that back. */
    save: (): (() => void) => {
      const back = [cloud.save(), relay.save(), saveMap(mails)];
      const [emails, askers] = [[...mails.values()], [...clients]].map((list) =>
        (list as object[]).map((one) => [one, { ...one }] as const),
      );
      const many = clients.length;
      return () => {
        for (const restore of back) restore();
        clients.splice(many);
        for (const [one, before] of [...(emails ?? []), ...(askers ?? [])]) Object.assign(one, before);
      };
    },
    /** Everything but the processes. */
    state: (): unknown => ({
      cloud: cloud.state(),
      mails: [...mails.values()].map(({ content: _, ...mail }) => mail),
      clients: clients.map(({ mail: { mailId }, request: _, ...client }) => ({ mailId, ...client })),
    }),
    stories: (): readonly MailStory[] => {
      const rows = new Map(cloud.ledger.rows().map((row) => [row.facts.mailId, row]));
      const records = [...cloud.records.values()];
      const shown = new Set([...cloud.captured.kept.values()].map((kept) => kept.record.mailId));
      return [...mails.values()].map((mail) => {
        const json = JSON.stringify(mail.content);
        // A bare message that never got into the ledger is held under the id it has on the poison queue.
        const record = records.find(({ original }) => JSON.stringify(original) === json);
        const row = rows.get(mail.mailId) ?? rows.get(record?.mailId ?? '');
        const ids = new Set([mail.mailId, record?.mailId ?? mail.mailId]);
        return {
          ...mail,
          row,
          doubted: cloud.doubted.has(mail.mailId),
          copies: [...ids].reduce((sum, id) => sum + cloud.mailboxes.copies(id), 0),
          recorded: record?.original,
          isCaptured: shown.has(mail.mailId),
        };
      });
    },
    problems: (): readonly string[] => [
      ...cloud.problems,
      ...cloud.mailboxes.removedAfterSending(),
      ...(cloud.queue.size() + cloud.poison.size() > 0 ? ['messages are left on a queue'] : []),
      ...untoldEndings(cloud),
      ...brokenLimits(cloud, options.mailsPerDay),
      ...(cloud.payloads.size > 0 ? [`payloads are left: ${[...cloud.payloads.keys()].join()}`] : []),
    ],
    history: (): string => `\n${cloud.history.join('\n')}\n`,
  };
};

/** Endings of which no event was put, or of which the ledger still says so. */
const untoldEndings = ({ ledger, announced }: SimulatedCloud): readonly string[] =>
  ledger.rows().flatMap((row) => {
    const { id } = eventOf(row) ?? {};
    if (id === undefined || (announced.has(id) && !isUntold(row))) return [];
    return [`${id} was not told`];
  });

/** What was sent without being counted, and days on which more was counted or taken than the limit. */
const brokenLimits = (
  { ledger, mailboxes, usages }: SimulatedCloud,
  mailsPerDay: number | undefined,
): readonly string[] => {
  if (mailsPerDay === undefined) return [];
  const sent = ledger
    .rows()
    .filter(({ facts: { mailId, caller } }) => caller !== RELAY && mailboxes.copies(mailId) > 0);
  const days = Map.groupBy(
    sent,
    ({ facts, progress }) => `${facts.caller} ${progress.countedAt?.slice(0, 10)}`,
  );
  return [
    ...sent.flatMap(({ facts, progress }) =>
      progress.countedAt === undefined ? [`${facts.mailId} was sent and not counted`] : [],
    ),
    ...[...days].flatMap(([day, { length }]) =>
      length > mailsPerDay ? [`${length} mails of ${day} were sent, and ${mailsPerDay} may be`] : [],
    ),
    ...[...usages.all()].flatMap(([day, { taken }]) =>
      taken.mails > mailsPerDay ? [`${taken.mails} were taken on ${day}, and ${mailsPerDay} may be`] : [],
    ),
  ];
};

/** The object that had this name before, as if it were new. */
const theOne = <Its extends object>(pool: Map<string, Its>, name: string, fresh: Its): Its => {
  const one = pool.get(name) ?? fresh;
  pool.set(name, one);
  return Object.assign(one, fresh);
};

/** The id that a new email gets. */
const toUuid = (number: number): string => `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`;

/** Which instance takes a message is not regular, as among hosts. */
const anyOfTwo = (round: number): number => Math.imul(round + 1, 0x9e3779b1) >>> 31;

const chosenBy =
  (bits: number) =>
  (index: number): boolean =>
    (bits & (1 << (index % 8))) !== 0;

const describe = (received: HttpAnswer): string => {
  if (received === 'no answer') return received;
  return received instanceof AppError ? received.code : received.row.fate.state;
};
