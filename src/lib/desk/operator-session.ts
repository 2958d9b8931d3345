import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { Operator } from './operator.ts';
import { isProofOf, proofOf, seal, unseal } from './seal.ts';

/** A session of somebody who gave the master key. It is kept in a cookie, sealed; the relay keeps nothing. */
export type OperatorSession = {
  readonly id: string;
  readonly name: string;
  /** To ask the host again: the relay does not know which key is right, and must learn that it was renewed. */
  readonly masterKey: string;
  readonly startedAt: number;
  /** When the host last said that the key is the master key. */
  readonly verifiedAt: number;
};

const schema = z.object({
  id: z.string(),
  name: z.string(),
  masterKey: z.string(),
  startedAt: z.number(),
  verifiedAt: z.number(),
});

const HOUR_MS = 3_600_000;
/** A working day. */
export const SESSION_MS = 8 * HOUR_MS;
/** So long a renewed master key can still have sessions. */
export const VERIFY_AGAIN_MS = 5 * 60_000;
const ID_BYTES = 16;

/** A session that begins now, for a key that the host has just accepted. */
export const newSession = (name: string, masterKey: string, now: Date): OperatorSession => ({
  id: randomBytes(ID_BYTES).toString('base64url'),
  name,
  masterKey,
  startedAt: now.getTime(),
  verifiedAt: now.getTime(),
});

/** The session as a cookie has it. */
export const toCookie = (key: Uint8Array, session: OperatorSession): string =>
  seal(key, JSON.stringify(session));

/** Undefined for a cookie that the relay did not make. */
export const readCookie = (key: Uint8Array, cookie: string): OperatorSession | undefined => {
  const text = unseal(key, cookie);
  return text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data;
};

/** Whether a session has ended by its age; a clock that was set back ends it too. */
export const isOver = ({ startedAt }: OperatorSession, now: Date): boolean =>
  now.getTime() < startedAt - HOUR_MS || now.getTime() - startedAt >= SESSION_MS;

/** Whether the host must be asked again before the session counts. */
export const mustVerify = ({ verifiedAt }: OperatorSession, now: Date): boolean =>
  Math.abs(now.getTime() - verifiedAt) >= VERIFY_AGAIN_MS;

export const operatorOf = ({ id, name }: OperatorSession): Operator => ({
  name,
  with: 'master key',
  mayOperate: true,
  binding: `session ${id}`,
});

const boundText = ({ binding }: Operator, until: string): string => `${binding}\n${until}`;

/** What a form of this operator carries, so that no other page can send it in their name. */
export const formTokenOf = (key: Uint8Array, operator: Operator, now: Date): string => {
  const until = String(now.getTime() + SESSION_MS);
  return `${until}.${proofOf(key, boundText(operator, until))}`;
};

/** Whether a form was given to this operator, in this session, and not too long ago. */
export const isFormTokenOf = (key: Uint8Array, operator: Operator, token: string, now: Date): boolean => {
  const [until = '', proof = ''] = token.split('.');
  return isProofOf(key, boundText(operator, until), proof) && Number(until) > now.getTime();
};
