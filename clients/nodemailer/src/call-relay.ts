import type { GraphMailRelayError, RelayRequest } from '../index.d.ts';
import { bounded } from './bounded.ts';
import { type Door, WrongToken } from './options.ts';
import { alreadyAccepted, type NotAccepted, ofThisCallOnly, rejectionOf } from './rejections.ts';
import { relayError } from './relay-error.ts';
import {
  type Accepted,
  type Answer,
  type Came,
  idIn,
  type NoToken,
  stateIn,
  type Verdict,
  verdictOf,
} from './verdict.ts';

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
  /** The application gave the key, so that an earlier `sendMail` can have had it. */
  readonly isGivenKey: boolean;
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

type Credential = { readonly kind: 'header'; readonly headers: Record<string, string> } | NoToken;

const credentialOf = async (options: CallOptions): Promise<Credential> => {
  try {
    return { kind: 'header', headers: await bounded(options, async () => options.door.credential()) };
  } catch (cause) {
    return { kind: 'no-token', isWrong: cause instanceof WrongToken, cause };
  }
};

const request = async (
  { fetch }: World,
  options: CallOptions,
  url: string,
  init: Pick<RelayRequest, 'method' | 'headers' | 'body'>,
): Promise<Came> => {
  try {
    return await bounded(options, async (signal) => {
      const headers = { 'user-agent': options.userAgent, ...init.headers };
      const response = await fetch(url, { ...init, headers, redirect: 'manual', signal });
      // The body can break off too: then nobody knows what it would have said.
      return { answer: toAnswer(response, await response.text()) };
    });
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
  posted: Posted,
): Promise<{ readonly mail: Accepted; readonly repeated: boolean }> => {
  const { signal } = options;
  const { idempotencyKey } = posted;
  let isUncertain = false;
  for (let number = 0; ; number += 1) {
    if (signal?.aborted) throw aborted(signal, isUncertain, idempotencyKey);
    const credential = await credentialOf(options);
    if (signal?.aborted) throw aborted(signal, isUncertain, idempotencyKey);
    const verdict =
      credential.kind === 'header' ? await postOnce(world, options, posted, credential.headers) : credential;
    if (signal?.aborted && verdict.kind === 'again' && verdict.status === undefined)
      throw aborted(signal, true, idempotencyKey);
    if (verdict.kind === 'accepted') return verdict;
    if (verdict.kind === 'known') {
      const known = await lookUp(world, options, verdict.problem.id);
      throw alreadyAccepted(verdict, known, idempotencyKey);
    }
    const waitMs = waitOf(verdict, number);
    if (waitMs === undefined) {
      const error = rejectionOf(verdict, isUncertain, idempotencyKey);
      throw posted.isGivenKey ? ofThisCallOnly(error, verdict) : error;
    }
    isUncertain ||= verdict.kind === 'again' && verdict.isUncertain;
    await world.wait(waitMs, signal).catch(() => undefined);
  }
};

const postOnce = async (
  world: World,
  options: CallOptions,
  { contentType, body, idempotencyKey }: Posted,
  credential: Record<string, string>,
): Promise<Verdict> => {
  const headers = { ...credential, 'content-type': contentType, 'idempotency-key': idempotencyKey };
  const came = await request(world, options, options.door.mail, { method: 'POST', headers, body });
  return verdictOf(came, world.now());
};

/** What the relay says now of an email that it has; without its state where it does not say. */
const lookUp = async (
  world: World,
  options: CallOptions,
  told: unknown,
): Promise<GraphMailRelayError['relay']> => {
  const id = idIn(told);
  if (id === undefined) return undefined;
  const statusUrl = `${options.door.mail}/${id}`;
  const credential = await credentialOf(options);
  const came =
    credential.kind === 'header'
      ? await request(world, options, statusUrl, { method: 'GET', headers: credential.headers })
      : { failure: credential.cause };
  const state = 'answer' in came && came.answer.status === 200 ? stateIn(came.answer.body) : undefined;
  return { id, statusUrl, ...(state === undefined ? {} : { state }) };
};

/** How long to wait before the next request; undefined where there is none. */
const waitOf = (verdict: NotAccepted, number: number): number | undefined => {
  const usual = WAITS_MS[number];
  if (usual === undefined) return undefined;
  if (verdict.kind === 'no-token') return verdict.isWrong ? undefined : usual;
  if (verdict.kind !== 'again') return undefined;
  const wait = Math.max(usual, verdict.afterMs ?? 0);
  return wait > LONGEST_WAIT_MS ? undefined : wait;
};

/** Resolves if the relay accepts the credential. Sends nothing. */
export const checkDoor = async (world: World, options: CallOptions): Promise<true> => {
  const { check } = options.door;
  const credential = await credentialOf(options);
  if (credential.kind === 'no-token') throw rejectionOf(credential, false, undefined);
  const { headers } = credential;
  const came = await request(world, options, check.url, { method: 'GET', headers });
  if ('answer' in came) {
    const { status, body } = came.answer;
    const { code } = (body ?? {}) as { readonly code?: unknown };
    if (status === check.status && (check.code === undefined ? body !== undefined : code === check.code))
      return true;
  }
  throw rejectionOf(withoutEmail(verdictOf(came, world.now()), came), false, undefined);
};

/** Nothing was sent, whatever came. */
const withoutEmail = (verdict: Verdict, came: Came): NotAccepted => {
  if (verdict.kind === 'unknown') return { ...verdict, kind: 'refused', settles: true };
  const status = 'answer' in came ? came.answer.status : 0;
  if (verdict.kind === 'accepted' || verdict.kind === 'known' || (status > 0 && status < 400))
    return { kind: 'refused', status, settles: true };
  return verdict.kind === 'again' ? { ...verdict, isUncertain: false } : verdict;
};
