import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import type { Log } from '../log.ts';
import type { Judge } from '../message/judge-message.ts';
import { toSubmission } from '../message/to-submission.ts';
import { oneLine } from '../relay/one-line.ts';
import type { Account, DoorSettings } from '../settings.ts';
import type { Deliver, Delivered, Submission } from '../submission.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { plainAddress } from './networks.ts';
import { type Received, receiveData } from './receive-data.ts';
import { withAsciiDomain } from './recipient.ts';
import { type Ending, makeRepeats } from './repeats.ts';
import { type Reply, ReplyError } from './reply.ts';

export const NO_MEMORY: Reply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'This server has no memory for another message of this size at the moment. Try again in a minute.',
};

/** What is said of a message that is not whole. Of one that is too large the library says it, and of one that broke off nobody hears. */
const UNRECEIVED: Readonly<Record<Exclude<Received['kind'], 'whole'>, Reply>> = {
  'no-memory': NO_MEMORY,
  'too-large': { code: 552, enhanced: '5.3.4', text: 'The message is too large.' },
  gone: { code: 451, enhanced: '4.4.2', text: 'The message broke off. Nothing was accepted.' },
};

const isReply = ({ code, enhanced }: { readonly code: string; readonly enhanced: string }): boolean =>
  /^[45]\d\d$/.test(code) && /^[45]\.\d{1,3}\.\d{1,3}$/.test(enhanced);

const replyOf = (delivered: Extract<Delivered, { code: string }>): Reply => {
  if (isReply(delivered)) return { ...delivered, code: Number(delivered.code) };
  return delivered.kind === 'refused'
    ? { code: 554, enhanced: '5.0.0', text: delivered.text }
    : { code: 451, enhanced: '4.3.0', text: delivered.text };
};

type Parts = {
  readonly settings: DoorSettings;
  readonly deliver: Deliver;
  readonly judge: Judge;
  readonly budget: MemoryBudget;
  readonly now: () => Date;
  readonly log: Log;
};

const ENDINGS: Readonly<Record<Exclude<Delivered['kind'], 'later'>, Ending>> = {
  accepted: 'answered',
  spooled: 'answered',
  refused: 'refused',
};

const endingOf = (delivered: Delivered): Ending => {
  if (delivered.kind !== 'later') return ENDINGS[delivered.kind];
  return delivered.isUncertain === true ? 'unknown' : 'nothing';
};

/**
 * From DATA to the reply. The text is that of `250`; every other reply is thrown.
 */
export const makeTransaction = ({ settings, deliver, judge, budget, now, log }: Parts) => {
  const repeats = makeRepeats(now);
  /** Delivers an email with the key that it had when its client was not told what became of it, or with its own. */
  const deliverOnce = async (submission: Submission, isThere: () => boolean): Promise<Delivered> => {
    const { contentKey, idempotencyKey: freshKey } = submission;
    if (contentKey === undefined) return deliver(submission);
    const { idempotencyKey, end } = repeats.begin(contentKey, freshKey, isThere);
    let ending: Ending = 'unknown';
    try {
      const delivered = await deliver({ ...submission, idempotencyKey });
      ending = endingOf(delivered);
      return delivered;
    } finally {
      end(ending);
    }
  };

  return async (
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    /** Asked once the message is there: throws for a client that is no account any more. */
    accountOf: () => Account,
    /** Whether the client still waits for its reply. */
    isThere: () => boolean,
  ): Promise<string> => {
    const { mailFrom, rcptTo } = session.envelope;
    const received = await receiveData(stream, budget);
    if (received.kind !== 'whole') throw new ReplyError(UNRECEIVED[received.kind]);
    let held = received.bytes.length;
    try {
      const account = accountOf();
      const client = plainAddress(session.remoteAddress);
      const envelope = {
        from: mailFrom === false ? '' : withAsciiDomain(mailFrom.address),
        to: rcptTo.map(({ address }) => withAsciiDomain(address)),
      };
      const judgement = await toSubmission(
        { bytes: received.bytes, envelope, account },
        settings,
        now(),
        judge,
      );
      if (judgement.kind === 'refused') {
        log('warn', 'MessageRefused', {
          account: account.name,
          client,
          bytes: held,
          reply: `${judgement.code} ${judgement.enhanced}`,
          say: oneLine(judgement.text),
        });
        throw new ReplyError(judgement);
      }
      const { submission, notes } = judgement;
      const more = submission.body.length - held;
      if (more > 0 && !budget.take(more)) throw new ReplyError(NO_MEMORY);
      if (more < 0) budget.giveBack(-more);
      held += more;
      const delivered = await deliverOnce(submission, isThere);
      const facts = {
        account: account.name,
        client,
        submission: submission.id,
        bytes: held,
        recipients: envelope.to.length,
        ...notes,
      };
      if (delivered.kind === 'refused' || delivered.kind === 'later') {
        const reply = replyOf(delivered);
        log('warn', delivered.kind === 'refused' ? 'MessageRefused' : 'MessageDeferred', {
          ...facts,
          reply: `${reply.code} ${reply.enhanced}`,
          say: oneLine(reply.text),
        });
        throw new ReplyError(reply);
      }
      const id = delivered.kind === 'accepted' ? delivered.id : submission.id;
      log('info', 'MessageAccepted', {
        ...facts,
        ...(delivered.kind === 'accepted'
          ? { mail: delivered.id, state: delivered.state }
          : { spooled: true }),
      });
      return `2.0.0 Ok: ${oneLine(id)}`;
    } finally {
      budget.giveBack(held);
    }
  };
};
