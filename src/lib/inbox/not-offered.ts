import { InboxProblem } from './inbox-problem.ts';
import type { Route } from './routes.ts';

type Call = readonly [method: string, path: string, instead: string];

const TAGS = 'The tags of an email are those that its application gave it.';
const FAILURES = 'The Graph stand-in of the local relay simulates failures (docs/local.md).';

/** The calls of Mailpit that no inbox here has, and what there is instead. */
export const NOT_OFFERED: readonly Call[] = [
  ['GET', '/api/v1/message/:id/part/:part/thumb', 'Get the whole file: /api/v1/message/{ID}/part/{PartID}.'],
  ['POST', '/api/v1/message/:id/release', 'The relay sends emails, the inbox does not.'],
  ['GET', '/api/v1/message/:id/html-check', 'Check the HTML with a tool of its own: /view/{ID}.html.'],
  ['GET', '/api/v1/message/:id/link-check', 'The inbox requests nothing from other servers.'],
  [
    'GET',
    '/api/v1/message/:id/sa-check',
    'Check the email with a tool of its own: /api/v1/message/{ID}/raw.',
  ],
  ['PUT', '/api/v1/tags', TAGS],
  ['PUT', '/api/v1/tags/:tag', TAGS],
  ['DELETE', '/api/v1/tags/:tag', TAGS],
  ['GET', '/api/v1/chaos', FAILURES],
  ['PUT', '/api/v1/chaos', FAILURES],
  ['GET', '/api/events', 'List the emails again: /api/v1/messages.'],
];

/** Answers calls with 501, so that a test tool says what is missing. */
export const refusing = (calls: readonly Call[]): readonly Route<() => Promise<never>>[] =>
  calls.map(([method, path, instead]) => [
    method,
    path,
    async () => {
      throw new InboxProblem(501, `This inbox has a part of Mailpit's API, without this call. ${instead}`);
    },
  ]);

export const notOfferedRoutes = refusing(NOT_OFFERED);
