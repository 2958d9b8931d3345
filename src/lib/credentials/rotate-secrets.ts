import { AppError, upstreamFacts } from '../errors.ts';
import { unexpected } from '../log.ts';
import type { OpenConnection, Ports, RotationState, Vault } from '../ports.ts';
import { planRotation, type RotationStep } from './rotation-plan.ts';
import { addWithin, hasMadeNothing, proveUntilKnown, storeProved } from './rotation-renewal.ts';
import {
  newRotation,
  withAbandoned,
  withAttempt,
  withMade,
  withoutAttempt,
  withoutSecrets,
  withReported,
} from './rotation-state.ts';

const DAY_MS = 86_400_000;
/** No connection is begun after this time: a renewal takes up to a minute, and the invocation has five. */
const BEGIN_WITHIN_MS = 3 * 60_000;

export type RotateSecretsNeeds = Pick<Ports, 'clock' | 'log' | 'rotations' | 'heartbeats'> & {
  /** Opened only where secrets are renewed. */
  readonly renewing?: {
    readonly rotationDays: number;
    readonly connections: readonly OpenConnection[];
    readonly vault: Pick<Vault, 'listVersions' | 'storeSecret'>;
  };
  /** A name that nothing else has. */
  readonly newId: () => string;
};

type Counts = { renewed: number; removed: number; waiting: number; failed: number };

/**
 * Renews the client secrets that the relay may renew. Each step is written down before the next, so that a run goes on where
 * another ended; a connection that fails stops no other.
 */
export const rotateSecrets = async (needs: RotateSecretsNeeds): Promise<void> => {
  const { clock, log, renewing } = needs;
  const counts: Counts = { renewed: 0, removed: 0, waiting: 0, failed: 0 };
  const startedAt = clock.now().getTime();
  const connections = inTurn(eachSecretOnce(renewing?.connections ?? []), startedAt);
  for (const open of connections) {
    if (clock.now().getTime() - startedAt > BEGIN_WITHIN_MS) {
      counts.waiting += 1;
      continue;
    }
    try {
      if (renewing !== undefined) await rotateOne({ ...needs, ...renewing, open }, counts);
    } catch (thrown) {
      counts.failed += 1;
      if (thrown instanceof AppError)
        log({
          event: 'RotationRefused',
          connection: open.connection.name,
          code: thrown.code,
          ...upstreamFacts(thrown.facts),
        });
      else log(unexpected(thrown));
    }
  }
  log({ event: 'SecretsRotated', connections: connections.length, ...counts });
  if (renewing !== undefined) await needs.heartbeats.note('rotation', clock.now());
};

/** A registration that serves several tenants has one secret, which is renewed in the tenant of the first connection. */
const eachSecretOnce = (connections: readonly OpenConnection[]): readonly OpenConnection[] => {
  const bySecret = new Map<string, OpenConnection>();
  for (const open of connections) {
    const { clientId, credential } = open.connection;
    if (credential.kind !== 'client-secret') continue;
    const secret = `${clientId} ${credential.secretName}`;
    bySecret.set(secret, bySecret.get(secret) ?? open);
  }
  return [...bySecret.values()];
};

/** Another one first each day, so that those who take long do not always leave the same ones. */
const inTurn = <Item>(items: readonly Item[], time: number): readonly Item[] => {
  const first = items.length === 0 ? 0 : Math.floor(time / DAY_MS) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
};

type One = Omit<RotateSecretsNeeds, 'renewing'> &
  NonNullable<RotateSecretsNeeds['renewing']> & { readonly open: OpenConnection };

/** Another instance has this connection. */
class Elsewhere extends Error {
  override readonly name = 'Elsewhere';
}

const rotateOne = async (needs: One, counts: Counts): Promise<void> => {
  try {
    await takeSteps(needs, counts);
  } catch (thrown) {
    if (!(thrown instanceof Elsewhere)) throw thrown;
    counts.waiting += 1;
  }
};

const secretNameOf = ({ credential }: OpenConnection['connection']): string =>
  credential.kind === 'client-secret' ? credential.secretName : '';

const takeSteps = async (needs: One, counts: Counts): Promise<void> => {
  const { open, clock, vault, rotationDays } = needs;
  const { connection, registration } = open;
  const book = await openBook(needs);
  // First: it takes a new token, in which a permission is that was granted since.
  const { version: inUse } = await open.proveCredential();
  let registered = await registration.read();
  if (registered === undefined) throw new AppError('REGISTRATION_ACCESS_DENIED');
  const versions = await vault.listVersions(secretNameOf(connection));
  if (inUse === undefined) return;

  const say = sayOf(needs);
  for (;;) {
    const facts = { state: book.state(), registered, versions, inUse, rotationDays, now: clock.now() };
    const step = planRotation(facts);
    switch (step.kind) {
      case 'done':
        return;
      case 'wait':
        throw new Elsewhere();
      case 'renew':
        await renew(needs, book, step);
        counts.renewed += 1;
        return;
      case 'adopt':
        await book.write(withMade(facts.state, step.made));
        say('adopted', step.made.keyId);
        break;
      case 'abandon':
        await book.write(withAbandoned(facts.state, step.attempt, facts.now));
        break;
      case 'forget':
        await book.write(withoutSecrets(facts.state, step.keyIds));
        break;
      case 'remove':
        await registration.removePassword(step.keyId);
        say(step.why === 'lost' ? 'cleared' : 'removed', step.keyId);
        if (step.why === 'replaced') counts.removed += 1;
        // Graph may go on to show it for some seconds.
        registered = registered.filter(({ keyId }) => keyId !== step.keyId);
        await book.write(withoutSecrets(facts.state, [step.keyId]));
        break;
      case 'report':
        await book.write(withReported(facts.state, step.keyIds, registered));
        tellOfOthers(needs, step.keyIds);
        break;
    }
  }
};

type Book = {
  readonly state: () => RotationState;
  /** Throws Elsewhere where another instance was first. */
  readonly write: (state: RotationState) => Promise<void>;
};

const openBook = async ({ rotations, open: { connection } }: One): Promise<Book> => {
  const { name, clientId } = connection;
  let { state = newRotation(clientId), etag } = await rotations.read(name);
  // Another registration than before: nothing that was made for that one is here.
  if (state.clientId !== clientId) state = newRotation(clientId);
  return {
    state: () => state,
    write: async (next) => {
      const written = await rotations.write(name, next, etag);
      if (written === undefined) throw new Elsewhere();
      state = next;
      etag = written;
    },
  };
};

const renew = async (
  needs: One,
  book: Book,
  { lifetimes }: Extract<RotationStep, { kind: 'renew' }>,
): Promise<void> => {
  const { open, clock, vault, newId } = needs;
  const say = sayOf(needs);
  const startedAt = clock.now();
  const attempt = { displayName: `Graph Mail Relay ${newId()}`, startedAt: startedAt.toISOString() };
  await book.write(withAttempt(book.state(), attempt));

  const made = await addWithin(open.registration, attempt.displayName, lifetimes, startedAt).catch(
    async (thrown: unknown) => {
      if (hasMadeNothing(thrown)) await book.write(withoutAttempt(book.state()));
      throw thrown;
    },
  );
  const { keyId, expiresOn } = made;
  const validDays = Math.round((expiresOn.getTime() - startedAt.getTime()) / DAY_MS);
  say('added', keyId, validDays);
  await book.write(withAttempt(book.state(), { ...attempt, keyId }));

  await proveUntilKnown(open, made.value, clock);
  say('proved', keyId, validDays);
  const { version, createdOn } = await storeProved(
    vault,
    secretNameOf(open.connection),
    made,
    attempt,
    clock.now(),
  );
  say('stored', keyId, validDays);
  const storedAt = (createdOn ?? clock.now()).toISOString();
  await book.write(withMade(book.state(), { keyId, displayName: attempt.displayName, version, storedAt }));
};

type Said = 'added' | 'proved' | 'stored' | 'adopted' | 'cleared' | 'removed';

const sayOf =
  ({ log, open: { connection } }: One) =>
  (step: Said, keyId: string, validDays?: number): void =>
    log({
      event: 'RotationStep',
      connection: connection.name,
      step,
      keyId,
      ...(validDays === undefined ? {} : { validDays }),
    });

/** The relay cannot know who else uses them. */
const tellOfOthers = ({ log, open: { connection } }: One, keyIds: readonly string[]): void => {
  const { name, clientId } = connection;
  for (const keyId of keyIds)
    log({
      event: 'SecretLeft',
      connection: name,
      keyId,
      command: `az ad app credential delete --id ${clientId} --key-id ${keyId}`,
    });
};
