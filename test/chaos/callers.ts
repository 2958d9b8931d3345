import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import { ATTACHMENT_CONTAINER, callerQueueOf, MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { identityOf } from '../support/identity-for-tests.ts';
import { contentOf, LARGE_BLOB, LARGE_FILE, type WrittenMail } from './content.ts';
import { type DeclaredCaller, TWO_WAYS } from './declared-callers.ts';
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
  readonly caller: DeclaredCaller | undefined;
  /** Behind the address of emails. */
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
export const makeCallers = (
  connectionString: string,
  keys: ReadonlyMap<DeclaredCaller, string>,
  anyUrl: () => string | undefined,
  note: Note,
) => {
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const queue = queues.getQueueClient(MAIL_QUEUE);

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
    const mailId = mailIdOfKey(plan.caller ?? callerOfKey(KEYS.functionKey), key);
    while (Date.now() < until) {
      const said = await ask(plan, content, key);
      note(`the caller hears ${said.words}`, mailId);
      if (said.isAccepted) {
        const toldCanceled = plan.cancel && (await takeBack(plan.caller, mailId, until));
        return { mailId, accepted: true, toldSent: said.isSent, toldCanceled };
      }
      // Not today.
      if (said.code === 'CALLER_LIMIT_REACHED') break;
      await wait(ASK_AGAIN_MS);
    }
    return { mailId, accepted: false, toldSent: false, toldCanceled: false };
  };

  /** One email, given twice at the same time; on the queue it is accepted whatever the request becomes. */
  const giveBothWays = async (plan: PlannedMail, content: unknown, until: number): Promise<Given> => {
    const putting = queues.getQueueClient(callerQueueOf(TWO_WAYS)).sendMessage(JSON.stringify(content));
    const [given] = await Promise.all([post(plan, content, until), putting]);
    return { ...given, accepted: true };
  };

  /** Asks to cancel until it knows; true if the email is canceled. */
  const takeBack = async (caller: Call['caller'], mailId: string, until: number): Promise<boolean> => {
    while (Date.now() < until) {
      const said = await call({ method: 'DELETE', caller, path: `/${mailId}` });
      note(`the caller, who cancels, hears ${said.words}`, mailId);
      if (said.isAccepted) return true;
      if (said.code === 'MAIL_NOT_WAITING') return false;
      await wait(ASK_AGAIN_MS);
    }
    return false;
  };

  const ask = ({ way, caller }: PlannedMail, content: unknown, key: string) =>
    call({
      method: 'POST',
      caller,
      path: '',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(way === 'HTTP, respond-async' ? { prefer: 'respond-async' } : {}),
      },
      body: JSON.stringify(content),
    });

  const call = async ({ method, caller, path, headers = {}, body }: Call): Promise<Said> => {
    const url = anyUrl();
    if (url === undefined) return { words: 'nothing, as no instance runs', isAccepted: false, isSent: false };
    const proof: Record<string, string> =
      caller === undefined
        ? { 'x-functions-key': KEYS.functionKey }
        : { authorization: `Bearer ${keys.get(caller) ?? ''}` };
    try {
      const answer = await fetch(`${url}/api/${caller === undefined ? '' : 'v1/'}mail${path}`, {
        method,
        headers: { ...proof, ...headers },
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

  const giveBy = (plan: PlannedMail, content: unknown, until: number): Promise<Given> => {
    if (plan.way === 'HTTP and queue') return giveBothWays(plan, content, until);
    return plan.way.startsWith('HTTP') ? post(plan, content, until) : put(plan, content);
  };

  return async (plan: PlannedMail, until: number): Promise<GivenMail> => {
    const content = contentOf(plan, new Date());
    return { plan, content, ...(await giveBy(plan, content, until)) };
  };
};
