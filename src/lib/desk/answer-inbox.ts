import { decodeSegment } from '../inbox/api-input.ts';
import { toSelfContainedMail } from '../inbox/framed-mail.ts';
import { type Answer, type Asked, apiRoutes, findMail, toJson } from '../inbox/inbox-api.ts';
import { InboxProblem } from '../inbox/inbox-problem.ts';
import { toMailContext } from '../inbox/mail-context.ts';
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
  /** From `/api/` on. */
  readonly path: string;
};

const toMailFrame = async (asked: Asked): Promise<Answer> => {
  const { html, contentSecurityPolicy } = await toSelfContainedMail(await findMail(asked), {
    readElsewhere: asked.readElsewhere,
    remoteImages: asked.query.get('remote-images') === 'load',
  });
  return {
    contentType: 'text/html; charset=utf-8',
    content: html,
    headers: { 'Content-Security-Policy': contentSecurityPolicy },
  };
};

const findCall = makeRouter<(asked: Asked) => Promise<Answer>>(
  [
    // Which emails were read is not kept.
    ...apiRoutes.filter(([method]) => method !== 'PUT'),
    ['GET', '/api/mail/:id/html', toMailFrame],
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
