import { AppError } from './errors.ts';
import { readQueueMessage } from './mail/queue-message.ts';
import { type SetAsideNeeds, setAside } from './set-aside.ts';

/** Takes what the functions host gave up on and sets it aside, readable or not. */
export const setAsideMail = async (
  needs: SetAsideNeeds,
  message: unknown,
  mailIdOfMessage: string,
): Promise<void> => {
  const known = identify(message);
  await setAside(
    needs,
    { mailId: mailIdOfMessage, attempts: 0, ...known, original: message },
    new AppError('HOST_GAVE_UP'),
  );
};

const identify = (message: unknown) => {
  try {
    const read = readQueueMessage(message);
    if (read.kind === 'bare') return {};
    return { mailId: read.mailId, acceptedAt: read.acceptedAt, attempts: read.attempts };
  } catch {
    return {};
  }
};
