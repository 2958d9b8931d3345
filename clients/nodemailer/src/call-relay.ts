import type { GraphMailRelayError, RelayRequest } from '../index.d.ts';
import type { Door } from './options.ts';
import { alreadyAccepted, rejectionOf } from './rejections.ts';
import { relayError } from './relay-error.ts';
import { type Accepted, type Answer, type Came, idIn, stateIn, type Verdict, verdictOf } from './verdict.ts';

/** What the transport needs of the world. */
export type World = {
  readonly fetch: (url: string, init: RelayRequest) => Promise<Pick<Response, 'status' | 'headers' | 'text'>>;
  /** Resolves after so long, or rejects when the signal says so. */
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly now: () => Date;
  readonly newKey: () => string;
};

/** As docs/callers/README.md has it: four tries, and these waits between them. */
const WAITS_MS = [1_000, 5_000, 30_000];
/** A relay that asks for more, such as at a daily limit, is not waited for: who called `sendMail` can decide. */
const LONGEST_WAIT_MS = 60_000;

/** A request that can be repeated: its bytes and its key never change. */
export type Posted = {
  readonly contentType: 'message/rfc822' | 'application/json';
  readonly body: Uint8Array<ArrayBuffer>;
  readonly idempotencyKey: string;
};

export type CallOptions = {
  readonly door: Door;
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly signal?: AbortSignal | undefined;
};

/** The error of an email that its signal ended. */
export const aborted = (signal: AbortSignal, isUncertain: boolean, idempotencyKey: string) =>
  Object.assign(
    relayError(
      isUncertain
        ? 'Message sending aborted. The relay may have received the email: send it again only with the idempotencyKey of this error.'
        : 'Message sending aborted. Nothing was sent.',
      { code: 'EABORT', idempotencyKey },
      signal.reason,
    ),
    { name: 'AbortError' },
  );

const credentialOf = async (door: Door): Promise<Record<string, string>> => {
  try {
    return await door.credential();
  } catch (cause) {
    throw relayError(
      'The option token gave no token. The cause of this error says why. This request was not sent.',
      { code: 'EAUTH' },
      cause,
    );
  }
};

const request = async (
  { fetch }: World,
  { timeoutMs, userAgent, signal }: CallOptions,
  url: string,
  init: Pick<RelayRequest, 'method' | 'headers' | 'body'>,
): Promise<Came> => {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...init,
      headers: { 'user-agent': userAgent, ...init.headers },
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    // The body can break off too: then nobody knows what it would have said.
    return { answer: toAnswer(response, await response.text()) };
  } catch (failure) {
    return { failure };
  }
};

const toAnswer = ({ status, headers }: Pick<Response, 'status' | 'headers'>, text: string): Answer => {
  try {
    return { status, headers, body: JSON.parse(text) };
  } catch {
    return { status, headers };
  }
};

/** Posts an email until the relay has it or says no, and rejects with what is then known of it. */
export const postMail = async (
  world: World,
  options: CallOptions,
  { contentType, body, idempotencyKey }: Posted,
): Promise<{ readonly mail: Accepted; readonly repeated: boolean }> => {
  const { door, signal } = options;
  let isUncertain = false;
  for (let number = 0; ; number += 1) {
    if (signal?.aborted) throw aborted(signal, isUncertain, idempotencyKey);
    const credential = await credentialOf(door).catch((error) => {
      throw isUncertain
        ? rejectionOf({ kind: 'again', isUncertain, cause: error }, isUncertain, idempotencyKey)
        : error;
    });
    const came = await request(world, options, door.mail, {
      method: 'POST',
      headers: { ...credential, 'content-type': contentType, 'idempotency-key': idempotencyKey },
      body,
    });
    if (signal?.aborted && 'failure' in came) throw aborted(signal, true, idempotencyKey);
    const verdict = verdictOf(came, world.now());
    if (verdict.kind === 'accepted') return verdict;
    if (verdict.kind === 'known') {
      const known = await lookUp(world, options, verdict.problem.id, credential);
      throw alreadyAccepted(verdict, known, idempotencyKey);
    }
    const waitMs = waitOf(verdict, number);
    if (waitMs === undefined) throw rejectionOf(verdict, isUncertain, idempotencyKey);
    isUncertain ||= verdict.kind === 'again' && verdict.isUncertain;
    await world.wait(waitMs, signal).catch(() => undefined);
  }
};

/** What the relay says now of an email that it has; without its state where it does not say. */
const lookUp = async (
  world: World,
  options: CallOptions,
  told: unknown,
  headers: Record<string, string>,
): Promise<GraphMailRelayError['relay']> => {
  const id = idIn(told);
  if (id === undefined) return undefined;
  const statusUrl = `${options.door.mail}/${id}`;
  const came = await request(world, options, statusUrl, { method: 'GET', headers });
  const state = 'answer' in came && came.answer.status === 200 ? stateIn(came.answer.body) : undefined;
  return { id, statusUrl, ...(state === undefined ? {} : { state }) };
};

/** How long to wait before the next request; undefined where there is none. */
const waitOf = (verdict: Verdict, number: number): number | undefined => {
  const usual = WAITS_MS[number];
  if (verdict.kind !== 'again' || usual === undefined) return undefined;
  const wait = Math.max(usual, verdict.afterMs ?? 0);
  return wait > LONGEST_WAIT_MS ? undefined : wait;
};

/** Resolves if the relay accepts the credential. Sends nothing. */
export const checkDoor = async (world: World, options: CallOptions): Promise<true> => {
  const { check } = options.door;
  const headers = await credentialOf(options.door);
  const came = await request(world, options, check.url, { method: 'GET', headers });
  if ('answer' in came) {
    const { status, body } = came.answer;
    const { code } = (body ?? {}) as { readonly code?: unknown };
    if (status === check.status && (check.code === undefined ? body !== undefined : code === check.code))
      return true;
  }
  // Nothing was sent, whatever came.
  const verdict = verdictOf(came, world.now());
  if (
    verdict.kind === 'accepted' ||
    verdict.kind === 'known' ||
    ('answer' in came && came.answer.status < 400)
  )
    throw rejectionOf(
      { kind: 'refused', status: 'answer' in came ? came.answer.status : 0, settles: true },
      false,
      '',
    );
  throw rejectionOf(verdict.kind === 'again' ? { ...verdict, isUncertain: false } : verdict, false, '');
};
