import { decodeSegment } from '../inbox/api-input.ts';
import { toSelfContainedMail } from '../inbox/framed-mail.ts';
import { type Answer, type Asked, apiRoutes, findMail, toJson } from '../inbox/inbox-api.ts';
import { InboxProblem } from '../inbox/inbox-problem.ts';
import { toMailContext } from '../inbox/mail-context.ts';
import { frameRoutes } from '../inbox/mail-frame.ts';
import { refusing } from '../inbox/not-offered.ts';
import { makeRouter } from '../inbox/routes.ts';
import { readCapturedFile } from './captured-files.ts';
import { type CapturedInboxNeeds, openCapturedInbox } from './captured-inbox.ts';

export type AnswerInboxNeeds = CapturedInboxNeeds &
  Parameters<typeof readCapturedFile>[0] & {
    /** What is captured now, by the settings. */
    readonly capturing: Capturing;
    readonly version: string;
  };

/** Everything, what has other recipients, or nothing; `unknown` where the settings are invalid. */
export type Capturing = 'everything' | 'other-recipients' | 'nothing' | 'unknown';

export type InboxCall = Pick<Asked, 'query' | 'readBody'> & {
  readonly method: string;
  /** From `/api/` or `/view/` on. */
  readonly path: string;
};

/** What the inbox on a machine of one's own has, and this one does not. */
const NOT_HERE = refusing([
  ['PUT', '/api/v1/messages', 'It does not keep which emails were read.'],
  ['POST', '/api/v1/send', 'Send the email to the relay: POST /api/mail.'],
]);

const findCall = makeRouter<(asked: Asked) => Promise<Answer>>(
  [
    ...NOT_HERE,
    ...apiRoutes,
    ...frameRoutes('/api/mail/:id/html', (mail, asked: Asked, how) =>
      toSelfContainedMail(mail, { readElsewhere: asked.readElsewhere, ...how }),
    ),
    [
      'GET',
      '/api/mail/:id/context',
      async (asked) => toJson(await toMailContext(await findMail(asked), asked.store)),
    ],
  ],
  { decode: decodeSegment },
);

/** Answers a call of the API of the inbox. Throws an InboxProblem, STORAGE_UNAVAILABLE. */
export const answerInbox = async (
  needs: AnswerInboxNeeds,
  { method, path, query, readBody }: InboxCall,
): Promise<Answer> => {
  const found = findCall(method, path);
  if (found.target === undefined)
    throw found.allowed.length > 0
      ? new InboxProblem(405, `This path allows ${found.allowed.join(', ')}, received ${method}.`)
      : new InboxProblem(404, 'There is nothing here. The API of the inbox is under /api/inbox/api/v1/.');
  return found.target({
    store: openCapturedInbox(needs),
    path: found.params,
    query,
    readBody,
    readElsewhere: readCapturedFile(needs),
    about: { Version: needs.version, Capturing: needs.capturing },
  });
};
