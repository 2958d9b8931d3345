import { v7 } from 'uuid';

/** A new mail id: random and ordered by time (RFC 9562, UUID version 7). */
export const newMailId = (now: Date): string => v7({ msecs: now.getTime() });

export const isMailId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
