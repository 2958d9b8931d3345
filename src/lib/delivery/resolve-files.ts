import type { Mail } from '../mail/mail-schema.ts';
import type { Ports } from '../ports.ts';
import { type OutgoingMail, outgoing } from '../sending/outgoing-mail.ts';

export type ResolveNeeds = Pick<Ports, 'attachments'>;

/** Finds out about the files of an email what its plan depends on. */
export const resolveFiles = async (_needs: ResolveNeeds, mail: Mail): Promise<OutgoingMail> => outgoing(mail);
