import { readBody } from './answer.ts';
import { oneLine } from './one-line.ts';
import { causeOf, isRelayKey } from './post-mail.ts';

/** What the relay says of the key of an account, for the person who sets up the door. */
export type Verdict = { readonly isGood: boolean; readonly text: string };

const TIMEOUT_MS = 30_000;

/** Asks the relay about a key without sending anything. A function key has no such call: then only the address is checked. */
export const askRelay = async (url: string, key: string, request: typeof fetch = fetch): Promise<Verdict> => {
  const path = isRelayKey(key) ? '/v1/caller' : '/health';
  try {
    const response = await request(`${url}${path}`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: isRelayKey(key) ? { 'x-api-key': key } : {},
    });
    return read(response.status, response.headers.get('content-type'), await response.text(), key);
  } catch (error) {
    return {
      isGood: false,
      text: `the relay cannot be reached (${causeOf(error)}). Check relay.url, DNS, proxy and firewall.`,
    };
  }
};

const read = (status: number, type: string | null, text: string, key: string): Verdict => {
  const body = readBody(type, text);
  if (body.kind === 'problem')
    return { isGood: false, text: oneLine(`${body.code}: ${body.title}. ${body.remedy}`) };
  if (status !== 200 || !type?.startsWith('application/json'))
    return {
      isGood: false,
      text: `expected a response of the relay, received HTTP ${status} of something else. Check relay.url.`,
    };
  if (!isRelayKey(key))
    return { isGood: true, text: 'the relay is there. It checks a function key only when an email is sent.' };
  const { name } = JSON.parse(text) as { readonly name?: unknown };
  return { isGood: true, text: `the relay accepts the key, of its caller ${String(name)}.` };
};
