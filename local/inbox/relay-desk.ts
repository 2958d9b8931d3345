import { type Answer, toJson } from '../../src/lib/inbox/inbox-api.ts';
import type { PathParams, Route } from '../../src/lib/inbox/routes.ts';
import { callRelay, type LocalRelay } from './relay-client.ts';
import type { RelayMails } from './relay-mails.ts';

type Asked = {
  readonly relay?: LocalRelay | undefined;
  readonly relayMails?: RelayMails | undefined;
  readonly path: PathParams;
  readonly query: URLSearchParams;
  readonly readBody: () => Promise<string>;
};

const mailPath = ({ path }: Asked): string => `/api/mail/${encodeURIComponent(path.id ?? '')}`;

const NOTHING = async (): Promise<undefined> => undefined;

const passing =
  (
    method: string,
    key: 'functionKey' | 'masterKey',
    pathOf: (asked: Asked) => string,
    bodyOf: (asked: Asked) => Promise<string | undefined> = NOTHING,
  ) =>
  async (asked: Asked): Promise<Answer> => {
    const body = await bodyOf(asked);
    const path = pathOf(asked);
    const call = { method, path, key, ...(body !== undefined && { body }) };
    const answer = await callRelay(asked.relay, call);
    if (asked.path.id !== undefined) asked.relayMails?.noticed(asked.path.id);
    return toJson(answer);
  };

/**
 * What the page asks the relay of emails that wait or are held. The keys stay here: the page has none. What changes something is a POST
 * or DELETE, which no page of others can send (foreign-pages.ts).
 */
export const deskRoutes: readonly Route<(asked: Asked) => Promise<Answer>>[] = [
  ['GET', '/relay/waiting', async ({ relayMails }) => toJson({ mails: (await relayMails?.waiting()) ?? [] })],
  ['GET', '/relay/mail', passing('GET', 'masterKey', ({ query }) => `/api/mail?${query}`)],
  ['POST', '/relay/mail/:id/replay', passing('POST', 'masterKey', (asked) => `${mailPath(asked)}/replay`)],
  [
    'POST',
    '/relay/mail/:id/close',
    passing(
      'POST',
      'masterKey',
      (asked) => `${mailPath(asked)}/close`,
      ({ readBody }) => readBody(),
    ),
  ],
  // Only its caller can cancel an email, and the callers here share the function key.
  ['DELETE', '/relay/mail/:id', passing('DELETE', 'functionKey', mailPath)],
];
