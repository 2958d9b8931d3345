import { LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import type { Connection } from '../../../src/lib/connections/connection.ts';
import { type RotateSecretsNeeds, rotateSecrets } from '../../../src/lib/credentials/rotate-secrets.ts';
import { OVERLAP_DAYS } from '../../../src/lib/credentials/rotation-plan.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import type { RegisteredCredential, Rotations, SecretFacts } from '../../../src/lib/ports.ts';
import { makeFakeHeartbeats } from '../../support/fake-heartbeats.ts';
import { makeFakeRotations } from '../../support/fake-rotations.ts';
import { aSecret } from '../../support/fake-vault.ts';
import { type Fate, makeStepper, settle } from '../../support/stepper.ts';

export const START = new Date('2026-03-02T08:00:00Z');
export const DAY_MS = 86_400_000;
const SECRET_NAME = 'graph-client-secret';
/** How long Entra takes to know a new secret, and Graph to show what was changed. */
const KNOWN_AFTER_MS = 12_000;
const SHOWN_AFTER_MS = 20_000;

export const aConnection = (changes: Partial<Connection> = {}): Connection => ({
  name: 'main',
  cloud: 'global',
  authority: 'https://login.microsoftonline.com',
  graphEndpoint: 'https://graph.microsoft.com',
  tenantId: LOCAL_TENANT_ID,
  clientId: LOCAL_CLIENT_ID,
  credential: { kind: 'client-secret', secretName: SECRET_NAME },
  senders: [],
  ...changes,
});

type Password = RegisteredCredential & {
  readonly value: string;
  readonly expiresOn: Date;
  readonly addedAt: Date;
};

/** What the tenant does not allow. */
export type Rules = { isAllowed: boolean; maxDays: number; mayAdd: boolean; mayStore: boolean };

/** Entra, the vault, and relays that renew the secret, one input or output at a time. */
export const makeRotationWorld = ({ rotationDays = 30 }: { readonly rotationDays?: number } = {}) => {
  let now = START;
  const rules: Rules = { isAllowed: true, maxDays: 800, mayAdd: true, mayStore: true };
  let passwords: readonly Password[] = [];
  /** What Graph shows: each change, some seconds after it. */
  const shown: { readonly from: Date; readonly passwords: readonly Password[] }[] = [];
  let versions: readonly (SecretFacts & { readonly value: string })[] = [];
  const rotations = makeFakeRotations();
  const stepper = makeStepper();
  const logged: LogEvent[] = [];
  const history: string[] = [];
  const broken: string[] = [];
  const values = new Map<string, string>();
  let made = 0;
  let names = 0;

  const change = (next: readonly Password[]): void => {
    passwords = next;
    shown.push({ from: new Date(now.getTime() + SHOWN_AFTER_MS), passwords });
  };
  const isAccepted = (value: string): boolean =>
    passwords.some(
      (one) =>
        one.value === value && one.expiresOn > now && now.getTime() - one.addedAt.getTime() >= KNOWN_AFTER_MS,
    );
  /** The two newest that the relay tries. */
  const tried = () =>
    versions
      .filter(({ enabled, expiresOn }) => enabled && (expiresOn === undefined || expiresOn > now))
      .slice(0, 2);
  const working = () => tried().find(({ value }) => isAccepted(value));
  const factsOf = ({ value: _, ...facts }: SecretFacts & { readonly value: string }): SecretFacts => facts;

  const addPassword = (displayName: string, expiresOn: Date): Password => {
    made += 1;
    const [keyId, value] = [`key-${made}`, `value-${made}`];
    values.set(keyId, value);
    const password: Password = { keyId, value, kind: 'secret', displayName, expiresOn, addedAt: now };
    change([...passwords, password]);
    return password;
  };
  const store = (value: string, expiresOn: Date | undefined, tags: Readonly<Record<string, string>> = {}) => {
    const version = aSecret({
      version: `v${versions.length + 1}`,
      createdOn: now,
      tags,
      ...(expiresOn === undefined ? {} : { expiresOn }),
    });
    versions = [{ ...version, value }, ...versions];
    return version;
  };

  const promise = (holds: boolean, said: string): void => {
    if (!holds) broken.push(`${now.toISOString()} ${said}`);
  };
  const others = new Set<string>();
  /** Passwords of the relay whose value is nowhere. */
  const orphans = () =>
    passwords.filter(
      ({ keyId, value }) => !others.has(keyId) && !versions.some((one) => one.value === value),
    );
  const check = (): void => {
    promise(working() !== undefined, 'no secret in the vault works');
    promise(
      [...others].every((keyId) => passwords.some((one) => one.keyId === keyId)),
      'a secret is gone that the relay did not make',
    );
    promise(orphans().length <= 1, `${orphans().length} secrets whose value is nowhere`);
  };

  const ask = <Value>(process: number, what: string, happen: () => Value): Promise<Value> =>
    stepper.ask(
      process,
      what,
      () => {
        const value = happen();
        history.push(`${now.toISOString()} ${process} ${what}`);
        check();
        return value;
      },
      (fate) => {
        history.push(`${now.toISOString()} ${process} ${what}: ${fate}`);
        throw new AppError(what.startsWith('state') ? 'STORAGE_UNAVAILABLE' : 'GRAPH_UNREACHABLE');
      },
    );
  const refused = (code: 'CLIENT_SECRET_WRONG' | 'CLIENT_SECRET_EXPIRED') => {
    throw new AppError(code);
  };

  const needsOf = (process: number): RotateSecretsNeeds => ({
    clock: {
      now: () => now,
      sleep: (ms) =>
        ask(process, `sleep ${ms}`, () => {
          now = new Date(now.getTime() + ms);
        }),
    },
    log: (event) => {
      history.push(`${now.toISOString()} ${process} ${JSON.stringify(event)}`);
      logged.push(event);
    },
    newId: () => {
      names += 1;
      return `${names}`;
    },
    heartbeats: makeFakeHeartbeats(),
    rotations: {
      read: (name) => ask(process, 'state read', () => rotations.read(name)),
      write: (name, state, etag) => ask(process, 'state write', () => rotations.write(name, state, etag)),
    },
    renewing: {
      rotationDays,
      vault: {
        listVersions: () => ask(process, 'vault list', () => versions.map(factsOf)),
        storeSecret: (_name, { value, expiresOn, tags }) =>
          ask(process, 'vault store', () => {
            if (!rules.mayStore) throw new AppError('VAULT_ACCESS_DENIED');
            return store(value, expiresOn, tags);
          }),
      },
      connections: [
        {
          connection: aConnection(),
          proveCredential: () =>
            ask(process, 'prove', () => {
              const version = working() ?? refused('CLIENT_SECRET_EXPIRED');
              return { version: factsOf(version), roles: [], expiresOn: now };
            }),
          proveSecret: (value) =>
            ask(process, 'prove new', () => {
              if (!isAccepted(value)) refused('CLIENT_SECRET_WRONG');
            }),
          registration: {
            read: () =>
              ask(process, 'registration read', () =>
                (shown.findLast(({ from }) => from <= now)?.passwords ?? []).map(
                  ({ value: _, addedAt: __, ...credential }) => credential,
                ),
              ),
            addPassword: (displayName, expiresOn) =>
              ask(process, 'registration add', () => {
                if (!rules.mayAdd) throw new AppError('REGISTRATION_ACCESS_DENIED');
                if (!rules.isAllowed) throw new AppError('CLIENT_SECRETS_NOT_ALLOWED');
                if (expiresOn.getTime() - now.getTime() > rules.maxDays * DAY_MS)
                  throw new AppError('CLIENT_SECRET_LIFETIME_LIMITED');
                const { keyId, value } = addPassword(displayName, expiresOn);
                return { keyId, value, expiresOn };
              }),
            removePassword: (keyId) =>
              ask(process, 'registration remove', () => {
                const removed = passwords.find((one) => one.keyId === keyId);
                const inUse = working();
                promise(removed?.value !== inUse?.value, 'the secret in use is removed');
                promise(
                  !versions.some(({ value }) => value === removed?.value) ||
                    now.getTime() - Number(inUse?.createdOn) >= OVERLAP_DAYS * DAY_MS,
                  'a secret is removed before its successor is in use for the overlap',
                );
                change(passwords.filter((one) => one.keyId !== keyId));
              }),
          },
        },
      ],
    },
  });

  const running = new Map<number, { isOver: boolean }>();

  const world = {
    rules,
    logged,
    history: () => history.join('\n'),
    /** Promises that did not hold. */
    broken: (): readonly string[] => broken,
    passwords: () => passwords,
    versions: () => versions,
    orphans,
    working,
    now: () => now,
    state: () => rotations.read('main').state,
    /** What a run needs, with another store of states. */
    needsWith: (others: Rotations): RotateSecretsNeeds => ({ ...needsOf(0), rotations: others }),
    waiting: stepper.waiting,
    take: (index: number, fate: Fate) => stepper.take(index, fate),
    /** Starts a run of the timer, unless this process is still at one. */
    start: async (process = 0): Promise<void> => {
      if (running.get(process)?.isOver === false) return;
      const run = { isOver: false };
      running.set(process, run);
      rotateSecrets(needsOf(process)).then(
        () => {
          run.isOver = true;
        },
        (thrown: unknown) => {
          run.isOver = true;
          broken.push(`the run threw ${thrown}`);
        },
      );
      await settle();
    },
    kill: (process: number, happens: (index: number) => boolean): void => {
      try {
        stepper.kill(process, happens);
      } catch (thrown) {
        // What the other side refuses happens as little as what nobody asked for.
        if (!(thrown instanceof AppError)) throw thrown;
      }
      running.delete(process);
      history.push(`${now.toISOString()} ${process} killed`);
      check();
    },
    /** Time in which no process lives so long. */
    pass: (ms: number): void => {
      for (const process of running.keys()) world.kill(process, () => false);
      now = new Date(now.getTime() + ms);
    },
    /** One whole run, in which all goes well. */
    run: async (process = 0): Promise<void> => {
      await world.start(process);
      while (stepper.waiting() > 0) await stepper.take(0, 'answered');
    },
    /** What an administrator does. */
    addByHand: (displayName: string, expiresOn: Date): Password => {
      const password = addPassword(displayName, expiresOn);
      others.add(password.keyId);
      return password;
    },
    store,
    /** Makes an earlier version the newest again, as somebody may who looks for a fault. */
    restore: (back: number): void => {
      const earlier = versions.filter(({ value }) => isAccepted(value)).at(-1 - back);
      if (earlier !== undefined) store(earlier.value, earlier.expiresOn);
    },
  };

  // As after a set-up by deploy.sh, some time ago.
  const first = world.addByHand('graph-mail-relay', new Date(START.getTime() + 180 * DAY_MS));
  store(first.value, first.expiresOn, { 'entra-key-id': first.keyId, 'made-by': 'deploy.sh' });
  now = new Date(now.getTime() + 60_000);
  return world;
};
