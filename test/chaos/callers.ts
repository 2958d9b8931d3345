import { setTimeout as wait } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import { MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { aMail } from '../support/a-mail.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { identityOf } from '../support/identity-for-tests.ts';
import type { WrittenMail } from './books.ts';
import type { PlannedMail } from './plan.ts';

/** A mail as the relay got it, and what its application was told. */
export type GivenMail = {
  readonly plan: PlannedMail;
  readonly mailId: string;
  readonly content: WrittenMail;
  readonly accepted: boolean;
  readonly toldSent: boolean;
};

type Note = (what: string, mailId?: string) => void;
type Given = Pick<GivenMail, 'mailId' | 'accepted' | 'toldSent'>;

/** Fits a message of 64 KiB as an application writes it, and not in the relay's own envelope. */
const LARGE_TEXT = 'x'.repeat(50_000);
const ASK_AGAIN_MS = 400;
const REQUEST_TIMEOUT_MS = 20_000;

const contentOf = ({ number, mailbox, policy, key, large, files }: PlannedMail): WrittenMail =>
  aMail({
    from: mailbox,
    subject: `Mail ${number}`,
    onUnknown: policy,
    attachments: Array.from({ length: files }, (_, file) => ({
      filename: `${number}-${file}.txt`,
      content: 'cGF5IHNsaXA=',
    })),
    ...(large ? { text: LARGE_TEXT } : {}),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  }) as WrittenMail;

/** Applications as they should be: they ask again with the same key until they know. */
export const makeCallers = (connectionString: string, anyUrl: () => string | undefined, note: Note) => {
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient(MAIL_QUEUE);

  const put = async (plan: PlannedMail, content: unknown): Promise<Given> => {
    const json = JSON.stringify(content);
    const text = plan.way === 'queue, base64' ? Buffer.from(json).toString('base64') : json;
    const identity = await identityOf(connectionString);
    const { messageId } = await queue.sendMessage(text);
    if (plan.twice) await queue.sendMessage(text);
    const mailId =
      plan.key === undefined ? identity.mailIdOfMessage(messageId) : identity.mailIdOfKey('queue', plan.key);
    note('put on the queue', mailId);
    return { mailId, accepted: true, toldSent: false };
  };

  const post = async (plan: PlannedMail, content: unknown, until: number): Promise<Given> => {
    const key = plan.key ?? '';
    const { mailIdOfKey } = await identityOf(connectionString);
    const mailId = mailIdOfKey(callerOfKey(KEYS.functionKey), key);
    while (Date.now() < until) {
      const said = await ask(plan, content, key);
      note(`the caller hears ${said.words}`, mailId);
      if (said.isAccepted) return { mailId, accepted: true, toldSent: said.isSent };
      await wait(ASK_AGAIN_MS);
    }
    return { mailId, accepted: false, toldSent: false };
  };

  const ask = async ({ way }: PlannedMail, content: unknown, key: string) => {
    const url = anyUrl();
    if (url === undefined) return { words: 'nothing, as no instance runs', isAccepted: false, isSent: false };
    try {
      const answer = await fetch(`${url}/api/mail`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-functions-key': KEYS.functionKey,
          'idempotency-key': key,
          ...(way === 'HTTP, respond-async' ? { prefer: 'respond-async' } : {}),
        },
        body: JSON.stringify(content),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const { state, code } = (await answer.json()) as { readonly state?: unknown; readonly code?: string };
      return {
        words: `${answer.status} ${code ?? state}`,
        isAccepted: answer.ok,
        isSent: answer.ok && state === 'sent',
      };
    } catch (error) {
      return { words: `nothing: ${(error as Error).name}`, isAccepted: false, isSent: false };
    }
  };

  return async (plan: PlannedMail, until: number): Promise<GivenMail> => {
    const content = contentOf(plan);
    const given = plan.way.startsWith('HTTP') ? await post(plan, content, until) : await put(plan, content);
    return { plan, content, ...given };
  };
};
