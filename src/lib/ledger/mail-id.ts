import { v7, validate, version } from 'uuid';

/** A new mail id: random and ordered by time (RFC 9562, UUID version 7). */
export const newMailId = (now: Date): string => v7({ msecs: now.getTime() });

export const isMailId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Random and by time; made with the key of the relay; made by a version before it had one. */
const [BY_TIME, BY_KEY, BEFORE_KEY] = [7, 8, 5];

/** Whether the relay can have made an id, as far as that can be seen. */
export const isOwnId = (text: string): boolean =>
  isMailId(text) && validate(text) && [BY_TIME, BY_KEY, BEFORE_KEY].includes(version(text));

/** When an id was made; undefined for one that does not say it. */
export const timeOf = (mailId: string): Date | undefined =>
  version(mailId) === BY_TIME
    ? new Date(Number.parseInt(mailId.replace('-', '').slice(0, 12), 16))
    : undefined;
