import { GraphError } from '../graph-error.ts';

/** Codes of https://learn.microsoft.com/graph/errors; which of them Outlook's upload host uses is not documented. */
export const invalidRange = (status: 400 | 409 | 416, reason: string) =>
  new GraphError(status, 'invalidRange', `The range is not valid: ${reason}.`);

export const sessionNotFound = () =>
  new GraphError(
    404,
    'uploadSessionNotFound',
    'There is no such upload session: it is complete, cancelled or expired, its draft was sent or deleted, or the URL was changed.',
  );

/** The URL is pre-authenticated: https://learn.microsoft.com/graph/outlook-large-attachments */
export const authorizationUnexpected = () =>
  new GraphError(
    401,
    'InvalidAuthenticationToken',
    'An upload URL is pre-authenticated; expected no Authorization header.',
  );
