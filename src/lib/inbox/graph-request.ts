import type { CapturedMail, GraphSendMailBody } from './captured-mail.ts';

/** The request to Graph behind an email, and how it was made. */
export const toGraphRequest = ({
  mailbox,
  acceptedAt,
  graphRequestId,
  caller,
  via = 'json',
  mime,
  request,
}: CapturedMail) => ({
  ...request,
  body: withoutPaths(request.body),
  via,
  mime,
  mailbox,
  acceptedAt,
  graphRequestId,
  caller,
});

/** Where a large file is kept on this machine is no part of the request. */
const withoutPaths = ({ message, ...rest }: GraphSendMailBody): GraphSendMailBody => ({
  ...rest,
  message:
    message.attachments === undefined
      ? message
      : { ...message, attachments: message.attachments.map(({ contentFile: _, ...file }) => file) },
});
