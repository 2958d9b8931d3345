import { type Caller, isOf } from '../callers/caller.ts';
import { isNamedSender } from '../callers/caller-policy.ts';
import { toldReason } from '../callers/told-reason.ts';
import { defined } from '../defined.ts';
import { AppError, reasonOf } from '../errors.ts';
import { earlierIdOfKey } from '../ledger/earlier-identity.ts';
import { type KnownIdentity, wholeIn } from '../ledger/identity.ts';
import { isClosedUnseen, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { type Envelope, newEnvelope } from '../ledger/queue-message.ts';
import { claimNew, queueNew } from '../ledger/transitions.ts';
import { keyFault } from '../mail/idempotency-key.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import type { PlanWarning } from '../sending/send-plan.ts';
import { type AcceptPolicy, divertedBy, judgeMail, planMail } from './accept-mail.ts';
import { answerRepeat, putAgain } from './answer-repeat.ts';
import { type AttemptNeeds, concludeForCaller, type IncomingMail, notStored } from './attempt-for-caller.ts';
import { captureMail } from './capture-mail.ts';
import { countForCaller, isKnownNearLimit } from './count-for-caller.ts';
import { dayReached, sendInLane, type Waiting, waiterOf } from './in-lane.ts';
import type { Taken } from './purse.ts';
import { queueMail } from './queue-mail.ts';
import { type KeyedInput, withKey } from './request-key.ts';
import type { ResolveNeeds } from './resolve-files.ts';
import { scheduleMail, waitUntilDue } from './schedule-mail.ts';
import { isToSeek } from './seek-mail.ts';
import { isStorageFailure } from './storage-failure.ts';
import { takeBack } from './take-back.ts';
import { withWholeMessage } from './whole-message.ts';

export type SendMailNeeds = AttemptNeeds &
  ResolveNeeds & {
    readonly accept: AcceptPolicy;
    readonly newMailId: () => string;
  };

export type SendMailRequest = KeyedInput & { readonly caller: Caller; readonly respondAsync: boolean };

/** What the caller is told: what the ledger says, whether it said so before, and what recipients may not get as asked. */
export type SendMailAnswer = {
  readonly row: LedgerRow;
  readonly repeated: boolean;
  readonly warnings: readonly PlanWarning[];
};

/** Losing a race more often than this is another request with the same key, again and again. */
const MAX_RACES = 4;

/**
 * Takes an email from a caller who waits: sends it, or queues it where the caller asks for that, the mailbox has no room,
 * or Graph cannot take it now. A request with a known idempotency key gets the first answer again.
 * Throws an AppError for everything else the caller has to know; then nothing was accepted.
 */
export const sendMail = async (needs: SendMailNeeds, request: SendMailRequest): Promise<SendMailAnswer> => {
  const mail = await takeIn(needs, request).catch((refused: unknown) =>
    answerRefused(needs, request, refused),
  );
  if ('row' in mail) return mail;
  return sendAccepted(needs, request, mail).catch((error: unknown) => {
    throw toldTo(needs, request.caller, mail.accepted.sender.address, error);
  });
};

/** What the caller hears of a refusal: of a mailbox it does not name, no more than it may know. */
const toldTo = (
  { accept }: Pick<SendMailNeeds, 'accept'>,
  caller: Caller,
  sender: string,
  error: unknown,
): unknown => {
  if (!(error instanceof AppError) || isNamedSender(caller, accept.senderPolicy, sender)) return error;
  const reason = reasonOf(error);
  const told = toldReason(reason);
  return told === reason
    ? error
    : new AppError(told.code, { ...told, ...defined({ mailId: error.facts.mailId }), cause: error });
};

const sendAccepted = async (
  needs: SendMailNeeds,
  request: SendMailRequest,
  mail: IncomingMail,
): Promise<SendMailAnswer> => {
  const { warnings } = mail.accepted.plan;
  for (let race = 0; race < MAX_RACES; race += 1) {
    const known = race === 0 ? undefined : await needs.ledger.find(mail.envelope.mailId);
    const row = known === undefined ? await takeNew(needs, mail, request.respondAsync) : undefined;
    if (row !== undefined) return { row, repeated: false, warnings };
    const answer =
      known === undefined ? undefined : await answerRepeat(needs, mail, known, request.respondAsync);
    if (answer !== undefined) return { ...answer, warnings };
  }
  throw new AppError('MAIL_UNDER_WAY');
};

/**
 * An email that was accepted under this key is not refused afterwards, whatever has become of its files or of the settings: a
 * caller who hears a refusal sends it again under another key. What cannot go on without the email stays refused. The first request may
 * have ended between the row and the message, so the message is put once more: it may then be held, and is not lost.
 */
const answerRefused = async (
  needs: SendMailNeeds,
  request: SendMailRequest,
  refused: unknown,
): Promise<SendMailAnswer> => {
  if (!(refused instanceof AppError) || refused.code === 'MAIL_NOT_STORED' || isStorageFailure(refused))
    throw refused;
  const same = await findSame(needs, request).catch(() => undefined);
  if (same === undefined) throw refused;
  const { row, etag } = same;
  if (isIn(row, 'rejected') || (isIn(row, 'held') && !row.fate.hasContent)) throw refused;
  const { mailId } = row.facts;
  if (isIn(row, 'sending')) throw new AppError('MAIL_UNDER_WAY', { mailId });
  if (isIn(row, 'canceled')) throw new AppError('MAIL_CANCELED', { mailId });
  if (!isIn(row, 'queued')) return { row, repeated: true, warnings: [] };
  const again = await putAgain(needs, { envelope: envelopeOf(row, request) }, { row, etag });
  if (again === undefined) throw new AppError('MAIL_UNDER_WAY', { mailId });
  return { ...again, warnings: [] };
};

/** A message of an email that the ledger has, with what its caller brings back. */
const envelopeOf = ({ facts }: LedgerRow, request: SendMailRequest): Envelope => {
  const { mailId, caller, acceptedAt, bodyHash: contentHash, priority } = facts;
  return {
    ...newEnvelope({
      ...{ mailId, caller, contentHash },
      acceptedAt: new Date(acceptedAt),
      content: { mail: withKey(request).input },
    }),
    ...defined({ priority }),
  };
};

/** The row of this caller's email with the same key and content, where the ledger has one. */
const findSame = async (
  needs: SendMailNeeds,
  { caller, ...request }: SendMailRequest,
): Promise<LedgerEntry | undefined> => {
  const { key, input } = withKey(request);
  if (key === undefined || keyFault(key) !== undefined) return undefined;
  const identity = await needs.readIdentity();
  const { mailId } = await identityOfKey(needs, identity, caller, key);
  const entry = await needs.ledger.find(mailId);
  if (entry !== undefined && isClosedUnseen(entry.row)) return entry;
  if (entry === undefined || !isOf(caller, entry.row.facts.caller)) return undefined;
  return isSameContent(identity, entry.row, input, request.whole) ? entry : undefined;
};

const isSameContent = (
  identity: KnownIdentity,
  { facts: { bodyHash } }: LedgerRow,
  input: unknown,
  whole: string | undefined,
): boolean => wholeIn(bodyHash) === whole && identity.isContent(bodyHash, input);

/** What is wrong with the email itself costs no request to anybody. */
const takeIn = async (needs: SendMailNeeds, request: SendMailRequest): Promise<IncomingMail> => {
  const { caller, whole } = request;
  const { key, input } = withKey(request);
  const judged = judgeMail(
    needs.accept,
    caller,
    'http',
    await withWholeMessage(needs, input).catch(notStored),
  );
  const identity = await needs.readIdentity().catch(notStored);
  const known =
    key === undefined
      ? { mailId: needs.newMailId(), caller: caller.name }
      : await identityOfKey(needs, identity, caller, key);
  const contentHash = whole === undefined ? undefined : identity.hashOfContent(input as object, whole);
  const origin = { ...known, acceptedAt: needs.clock.now(), ...defined({ contentHash }) };
  const accepted = await planMail(needs, needs.accept, identity, origin, input as object, judged).catch(
    notStored,
  );
  return {
    accepted,
    input,
    isSame: (row) =>
      isClosedUnseen(row) || (isOf(caller, row.facts.caller) && isSameContent(identity, row, input, whole)),
    envelope: newEnvelope({ ...origin, contentHash: accepted.facts.bodyHash, content: { mail: input } }),
  };
};

/**
 * The id of the email with this key, and the name under which the ledger has it: those of an earlier version of the relay, or of before
 * the caller was declared, where the ledger has it from then.
 */
export const identityOfKey = async (
  { ledger }: Pick<Ports, 'ledger'>,
  identity: KnownIdentity,
  { name, earlierNames }: Caller,
  key: string,
): Promise<{ readonly mailId: string; readonly caller: string }> => {
  const earlierIds = [
    ...earlierNames.map((earlier) => identity.mailIdOfKey(earlier, key)),
    ...(identity.hasEarlierRows ? [name, ...earlierNames].map((one) => earlierIdOfKey(one, key)) : []),
  ];
  for (const earlierId of earlierIds) {
    const known = earlierId === undefined ? undefined : await ledger.find(earlierId);
    if (known !== undefined)
      return {
        mailId: known.row.facts.mailId,
        caller: isClosedUnseen(known.row) ? name : known.row.facts.caller,
      };
  }
  return { mailId: identity.mailIdOfKey(name, key), caller: name };
};

/** Undefined when the ledger has a row for this email already. */
const takeNew = async (
  needs: SendMailNeeds,
  mail: IncomingMail,
  respondAsync: boolean,
): Promise<LedgerRow | undefined> => {
  const { accepted, envelope } = mail;
  const { sendAt } = accepted.facts;
  const taken = await countNew(needs, mail);
  if (taken === undefined) return undefined;
  if (
    respondAsync ||
    waitUntilDue(sendAt, needs.clock.now()) > 0 ||
    isToSeek(await needs.readIdentity(), envelope, accepted.facts, undefined)
  )
    return queueAccepted(needs, mail, taken, { waitMs: 0 });
  if (accepted.handling.kind === 'capture') return captureNewMail(needs, mail, taken);
  let isClaimed = false;
  const who = waiterOf(envelope, accepted, envelope.acceptedAt);
  const result = await sendInLane(needs, accepted.plan, who, async () => {
    const route = needs.mailboxes.routeOf(accepted.plan.mailbox);
    const how = { ...divertedBy(accepted.handling), countedAt: taken.countedAt, route };
    const claim = claimNew(accepted.facts, false, needs.clock.now(), accepted.plan.kind, how);
    const claimed = await needs.ledger.create(claim).catch(notStored);
    isClaimed = claimed !== undefined;
    return claimed;
  });
  switch (result.kind) {
    case 'full':
    case 'day':
      taken.giveBack();
      // A repeat gets its first answer: it was accepted.
      if (accepted.facts.keyHash !== undefined && (await isKnown(needs, accepted))) return undefined;
      throw result.kind === 'full' ? new AppError('MAILBOX_BOOKED_UP') : dayReached(result);
    case 'wait':
      return queueAccepted(needs, mail, taken, result);
    case 'beaten':
      if (!isClaimed) taken.giveBack();
      return undefined;
    case 'ended':
      return concludeForCaller(needs, mail, { ...result, onRejected: taken.giveBack });
  }
};

const isKnown = async (needs: SendMailNeeds, { facts }: IncomingMail['accepted']): Promise<boolean> =>
  (await needs.ledger.find(facts.mailId).catch(notStored)) !== undefined;

/** Keeps a new email in place of sending it. Undefined where the ledger has it already. */
const captureNewMail = async (
  needs: SendMailNeeds,
  { accepted }: IncomingMail,
  { giveBack }: Taken,
): Promise<LedgerRow | undefined> => {
  // A repeat would be kept before the ledger says that it is one.
  const known = await needs.ledger.find(accepted.facts.mailId).catch(notStored);
  const captured =
    known === undefined
      ? await captureMail(needs, accepted, { isInQueue: false }).catch(notStored)
      : undefined;
  if (captured === undefined) giveBack();
  return captured;
};

/** Counts a new email. Undefined where it is near or over the limit and not new: a repeat is answered all the same. */
const countNew = async (needs: SendMailNeeds, { accepted }: IncomingMail): Promise<Taken | undefined> => {
  const { keyHash, mailId } = accepted.facts;
  if (keyHash !== undefined && (await isKnownNearLimit(needs, accepted).catch(notStored))) return undefined;
  try {
    return await countForCaller(needs, accepted);
  } catch (error) {
    const isOver = error instanceof AppError && error.code === 'CALLER_LIMIT_REACHED';
    if (!isOver || keyHash === undefined) throw error;
    if ((await needs.ledger.find(mailId).catch(notStored)) === undefined) throw error;
    return undefined;
  }
};

/** Row first, then message: no caller has been told anything before both are there. */
const queueAccepted = async (
  needs: SendMailNeeds,
  { accepted, envelope }: IncomingMail,
  { countedAt, giveBack }: Taken,
  { waitMs, dueAt, giveBack: giveStartBack }: Waiting,
): Promise<LedgerRow | undefined> => {
  const row = queueNew(accepted.facts, needs.clock.now(), {
    ...divertedBy(accepted.handling),
    countedAt,
  });
  const created = await needs.ledger.create(row).catch(notStored);
  if (created === undefined) {
    giveBack();
    giveStartBack?.();
    return undefined;
  }
  const { mailId, sendAt } = row.facts;
  const takenBack = (error: unknown) =>
    takeBack(needs, created, error).catch((thrown: unknown) => {
      if (thrown instanceof AppError && thrown.code === 'MAIL_NOT_STORED') giveBack();
      throw thrown;
    });
  if (sendAt !== undefined) {
    await scheduleMail(needs, envelope, sendAt).catch(takenBack);
    return row;
  }
  await queueMail(needs, { ...envelope, ...defined({ dueAt }) }, waitMs).catch(takenBack);
  needs.log({ event: 'MailQueued', mailId, attempts: 0, waitMs });
  return row;
};
