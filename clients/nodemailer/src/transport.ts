import { KEY_FORM, keyFault } from '../../../src/lib/mail/idempotency-key.ts';
import type {
  GraphMailRelayError,
  GraphMailRelayInfo,
  GraphMailRelayOptions,
  GraphMailRelayTransport,
} from '../index.d.ts';
import packageJson from '../package.json' with { type: 'json' };
import { aborted, type CallOptions, checkDoor, postMail, type World } from './call-relay.ts';
import { type ComposedMail, signalOf } from './composed-mail.ts';
import { applyEnvelope, checkAddresses } from './envelope.ts';
import { fieldsOf, keyOf } from './header-bytes.ts';
import { checkCarried } from './not-carried.ts';
import { readOptions } from './options.ts';
import { payloadOf } from './payload.ts';
import { relayError } from './relay-error.ts';
import { settledBytes } from './settled-bytes.ts';

const NAME = 'GraphMailRelay';

type Done<Result> = (error: GraphMailRelayError | null, result: Result) => void;

/** The transport with the world that it needs. */
export const makeTransport = (options: GraphMailRelayOptions, world: World): GraphMailRelayTransport => {
  const call: CallOptions = {
    ...readOptions(options),
    userAgent: `${packageJson.name}/${packageJson.version}`,
  };
  function verify(done: Done<true>): void;
  function verify(): Promise<true>;
  function verify(done?: Done<true>): Promise<true> | undefined {
    const checked = checkDoor(world, call);
    if (done === undefined) return checked;
    settle(checked, done);
    return undefined;
  }
  return {
    name: NAME,
    version: packageJson.version,
    supportsAbortSignal: true,
    send: (mail, done) => settle(sendComposed(world, call, mail as ComposedMail), done),
    verify,
    isIdle: () => true,
    close: () => undefined,
  };
};

/** Calls back outside of the promise: what a callback throws is not an outcome of the email. */
const settle = <Result>(outcome: Promise<Result>, done: Done<Result>): void => {
  outcome.then(
    (result) => setImmediate(done, null, result),
    (error) => setImmediate(done as (error: GraphMailRelayError) => void, error),
  );
};

const keyFor = ({ data }: ComposedMail, world: World): string => {
  const { idempotencyKey } = data;
  if (idempotencyKey === undefined || idempotencyKey === null) return world.newKey();
  const fault =
    typeof idempotencyKey === 'string' ? keyFault(idempotencyKey) : `the type ${typeof idempotencyKey}`;
  if (fault === undefined) return idempotencyKey;
  throw relayError(
    `Wrong option idempotencyKey of this email. Expected ${KEY_FORM}. Received a value with ${fault}. Nothing was sent.`,
    { code: 'EMESSAGE', responseCode: 554 },
  );
};

const sendComposed = async (
  world: World,
  call: CallOptions,
  mail: ComposedMail,
): Promise<GraphMailRelayInfo> => {
  checkCarried(mail.data);
  const idempotencyKey = keyFor(mail, world);
  const signal = signalOf(mail);
  checkAddresses(mail);
  const settled = await settledBytes(mail, idempotencyKey, signal).catch((error) => {
    throw signal?.aborted ? aborted(signal, false, idempotencyKey) : error;
  });
  const { bytes, envelope } = applyEnvelope(mail, settled.bytes);
  const { form, warnings: left, ...payload } = await payloadOf(bytes, mail.data);
  const messageId = messageIdOf(mail, bytes);
  const { mail: accepted, repeated } = await postMail(
    world,
    { ...call, signal },
    { ...payload, idempotencyKey, isGivenKey: mail.data.idempotencyKey === idempotencyKey },
  );
  const { id, state, statusUrl } = accepted;
  const warnings = [...settled.warnings, ...left, ...(accepted.warnings ?? [])];
  return {
    messageId,
    envelope: { from: envelope.from, to: [...envelope.to] },
    accepted: [...envelope.to],
    rejected: [],
    response: `250 ${state} ${id}`,
    relay: {
      id,
      state,
      ...(statusUrl === undefined ? {} : { statusUrl }),
      ...(warnings.length === 0 ? {} : { warnings }),
      repeated,
      form,
      idempotencyKey,
    },
  };
};

/** For a `raw` message, nodemailer makes an id that is not in it. */
const messageIdOf = ({ data, message }: ComposedMail, bytes: Buffer): string =>
  data.raw
    ? (fieldsOf(bytes).find((field) => keyOf(field) === 'message-id')?.value ?? '')
    : message.messageId();
