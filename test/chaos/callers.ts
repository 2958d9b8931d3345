import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import { ATTACHMENT_CONTAINER, MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { identityOf } from '../support/identity-for-tests.ts';
import { contentOf, LARGE_BLOB, LARGE_FILE, type WrittenMail } from './content.ts';
import type { PlannedMail } from './plan.ts';

/** A mail as the relay got it, and what its application was told. */
export type GivenMail = {
  readonly plan: PlannedMail;
  readonly mailId: string;
  readonly content: WrittenMail;
  readonly accepted: boolean;
  readonly toldSent: boolean;
  readonly toldCanceled: boolean;
};

type Note = (what: string, mailId?: string) => void;
type Given = Pick<GivenMail, 'mailId' | 'accepted' | 'toldSent' | 'toldCanceled'>;

const ASK_AGAIN_MS = 400;
const REQUEST_TIMEOUT_MS = 20_000;

type Call = {
  readonly method: 'POST' | 'DELETE';
  /** Behind /api/mail. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

type Said = {
  readonly words: string;
  readonly isAccepted: boolean;
  readonly isSent: boolean;
  readonly code?: string | undefined;
};

/** Puts the file into storage that mails name, as an application does. */
export const uploadLargeFile = async (connectionString: string): Promise<void> => {
  const container =
    BlobServiceClient.fromConnectionString(connectionString).getContainerClient(ATTACHMENT_CONTAINER);
  await container.getBlockBlobClient(LARGE_BLOB).uploadData(LARGE_FILE);
};

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
    return { mailId, accepted: true, toldSent: false, toldCanceled: false };
  };

  const post = async (plan: PlannedMail, content: unknown, until: number): Promise<Given> => {
    const key = plan.key ?? '';
    const { mailIdOfKey } = await identityOf(connectionString);
    const mailId = mailIdOfKey(callerOfKey(KEYS.functionKey), key);
    while (Date.now() < until) {
      const said = await ask(plan, content, key);
      note(`the caller hears ${said.words}`, mailId);
      if (said.isAccepted) {
        const toldCanceled = plan.cancel && (await takeBack(mailId, until));
        return { mailId, accepted: true, toldSent: said.isSent, toldCanceled };
      }
      await wait(ASK_AGAIN_MS);
    }
    return { mailId, accepted: false, toldSent: false, toldCanceled: false };
  };

  /** Asks to cancel until it knows; true if the email is canceled. */
  const takeBack = async (mailId: string, until: number): Promise<boolean> => {
    while (Date.now() < until) {
      const said = await call({ method: 'DELETE', path: `/${mailId}` });
      note(`the caller, who cancels, hears ${said.words}`, mailId);
      if (said.isAccepted) return true;
      if (said.code === 'MAIL_NOT_WAITING') return false;
      await wait(ASK_AGAIN_MS);
    }
    return false;
  };

  const ask = ({ way }: PlannedMail, content: unknown, key: string) =>
    call({
      method: 'POST',
      path: '',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(way === 'HTTP, respond-async' ? { prefer: 'respond-async' } : {}),
      },
      body: JSON.stringify(content),
    });

  const call = async ({ method, path, headers = {}, body }: Call): Promise<Said> => {
    const url = anyUrl();
    if (url === undefined) return { words: 'nothing, as no instance runs', isAccepted: false, isSent: false };
    try {
      const answer = await fetch(`${url}/api/mail${path}`, {
        method,
        headers: { 'x-functions-key': KEYS.functionKey, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const { state, code } = (await answer.json()) as { readonly state?: unknown; readonly code?: string };
      return {
        words: `${answer.status} ${code ?? state}`,
        isAccepted: answer.ok,
        isSent: answer.ok && state === 'sent',
        code,
      };
    } catch (error) {
      return { words: `nothing: ${(error as Error).name}`, isAccepted: false, isSent: false };
    }
  };

  return async (plan: PlannedMail, until: number): Promise<GivenMail> => {
    const content = contentOf(plan, new Date());
    const given = plan.way.startsWith('HTTP') ? await post(plan, content, until) : await put(plan, content);
    return { plan, content, ...given };
  };
};
