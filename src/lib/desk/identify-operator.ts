import type { Ports } from '../ports.ts';
import { type EntraVisitor, readEntraVisitor } from './entra-operator.ts';
import { type Operator, readOperatorName } from './operator.ts';
import { isOver, mustVerify, newSession, operatorOf, readCookie, toCookie } from './operator-session.ts';
import type { SignInLimit } from './sign-in-limit.ts';

/** How people sign in to the operator page. */
export type OpsSignIn = 'key' | 'entra' | 'off';

/** What the host says of a key; `unknown` where nobody can say. */
export type KeyVerdict = 'right' | 'wrong' | 'unknown';

export type IdentifyNeeds = Pick<Ports, 'clock' | 'readIdentity'> & {
  readonly signIn: OpsSignIn;
  /** The authentication of App Service is on, so that its headers are its own. */
  readonly hasEasyAuth: boolean;
  readonly checkMasterKey: (key: string) => Promise<KeyVerdict>;
  readonly signInLimit: SignInLimit;
};

/** What a request brings to say who sends it. */
export type Presented = { readonly cookie: string | undefined; readonly principal: string | null };

export type Visitor =
  | {
      readonly kind: 'operator';
      readonly operator: Operator;
      /** The session has been verified again: the cookie to keep from now on. */
      readonly cookie?: string;
    }
  | Exclude<EntraVisitor, { readonly kind: 'operator' | 'signed-out' }>
  | {
      readonly kind: 'signed-out';
      /** `ended`: there was a session. `unsure`: there is one, and the host cannot say whether its key still holds. */
      readonly why?: 'ended' | 'unsure';
    }
  /** The settings want Entra, and the platform does not sign anybody in. */
  | { readonly kind: 'not-set-up' };

/** Of what is sealed and proved here; other uses of the key of the relay have other purposes. */
const PURPOSE = 'operator page';

/** The key by which the operator page seals sessions and proves forms. */
export const readPageKey = async ({ readIdentity }: Pick<Ports, 'readIdentity'>): Promise<Uint8Array> =>
  (await readIdentity()).keyFor(PURPOSE);

/** Who asks for the operator page. */
export const identifyOperator = async (
  needs: IdentifyNeeds,
  { cookie, principal }: Presented,
): Promise<Visitor> => {
  if (needs.signIn === 'entra')
    return needs.hasEasyAuth ? readEntraVisitor(principal) : { kind: 'not-set-up' };
  if (cookie === undefined) return { kind: 'signed-out' };
  const now = needs.clock.now();
  const key = await readPageKey(needs);
  const session = readCookie(key, cookie);
  if (session === undefined || isOver(session, now)) return { kind: 'signed-out', why: 'ended' };
  const operator = operatorOf(session);
  if (!mustVerify(session, now)) return { kind: 'operator', operator };
  const verdict = await needs.checkMasterKey(session.masterKey);
  if (verdict === 'unknown') return { kind: 'signed-out', why: 'unsure' };
  if (verdict === 'wrong') return { kind: 'signed-out', why: 'ended' };
  return {
    kind: 'operator',
    operator,
    cookie: toCookie(key, { ...session, verifiedAt: now.getTime() }),
  };
};

export type SignInOutcome =
  | { readonly kind: 'signed-in'; readonly cookie: string; readonly operator: Operator }
  | { readonly kind: 'refused'; readonly why: 'name' | 'wrong' | 'unknown' | 'too-many' };

const MAX_KEY = 500;

/** Signs in with the master key. `from` is the address of the client, by which attempts are limited. */
export const signInWithKey = async (
  needs: IdentifyNeeds,
  given: { readonly key: string; readonly name: string },
  from: string,
): Promise<SignInOutcome> => {
  const now = needs.clock.now();
  const name = readOperatorName(given.name);
  if (name === undefined) return { kind: 'refused', why: 'name' };
  if (!needs.signInLimit.mayTry(from, now)) return { kind: 'refused', why: 'too-many' };
  const masterKey = given.key.trim();
  // Nothing else can be a key, or a header.
  const verdict =
    masterKey.length <= MAX_KEY && /^[!-~]+$/.test(masterKey)
      ? await needs.checkMasterKey(masterKey)
      : 'wrong';
  if (verdict !== 'right') return { kind: 'refused', why: verdict };
  needs.signInLimit.wasRight(from);
  const session = newSession(name, masterKey, now);
  const cookie = toCookie(await readPageKey(needs), session);
  return { kind: 'signed-in', cookie, operator: operatorOf(session) };
};
