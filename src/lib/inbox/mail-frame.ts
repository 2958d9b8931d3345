import type { CapturedMail } from './captured-mail.ts';
import type { FramedMail } from './framed-mail.ts';
import { type Answer, type Asked, findMail } from './inbox-api.ts';
import { InboxProblem } from './inbox-problem.ts';
import { toMessage } from './mailpit-shapes.ts';
import type { Route } from './routes.ts';

type FrameMail<Whole extends Asked> = (
  mail: CapturedMail,
  asked: Whole,
  how: { readonly remoteImages: boolean; readonly bare: boolean },
) => FramedMail | Promise<FramedMail>;

/**
 * The HTML of an email at two addresses: for the frame of the page, and where Mailpit has it, as the email has it. Each has a policy with
 * `sandbox`, so that nothing of it runs on the origin of the inbox.
 */
export const frameRoutes = <Whole extends Asked>(
  framePath: string,
  frame: FrameMail<Whole>,
): readonly Route<(asked: Whole) => Promise<Answer>>[] => {
  const answer = async (asked: Whole, mail: CapturedMail, bare: boolean): Promise<Answer> => {
    const remoteImages = asked.query.get('remote-images') === 'load';
    const { html, contentSecurityPolicy } = await frame(mail, asked, { remoteImages, bare });
    return {
      contentType: 'text/html; charset=utf-8',
      content: html,
      headers: { 'Content-Security-Policy': contentSecurityPolicy },
    };
  };
  return [
    ['GET', framePath, async (asked) => answer(asked, await findMail(asked), false)],
    [
      'GET',
      '/view/:id.html',
      async (asked) => {
        const mail = await findMail(asked);
        if (toMessage(mail).HTML === '')
          throw new InboxProblem(404, 'This email has no HTML. Its text is at /view/{ID}.txt.');
        // As Mailpit has it: in a frame, its links open in a new tab.
        return answer(asked, mail, asked.query.get('embed') !== '1');
      },
    ],
  ];
};
