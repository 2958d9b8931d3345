import { createHmac, randomBytes } from 'node:crypto';
import type { Log } from '../log.ts';
import { isPasswordOf } from '../password-hash.ts';
import type { Account } from '../settings.ts';
import { makeBrake } from './brake.ts';
import { sourceOf } from './networks.ts';
import { ReplyError } from './reply.ts';

/** One more name or password in one connection, and the next one waits for a new connection. */
const MAX_FAILURES_OF_CONNECTION = 3;
/** One address that guesses is braked by itself, and must not shut a name out for all others. */
const FREE_FOR_NAME = 50;
/** A device signs in for every email: the address from which a name did so is not braked by what others try with that name. */
const MAX_KNOWN = 10_000;

type Attempt = {
  readonly username: string;
  readonly password: string;
  /** Where the client is. */
  readonly address: string;
  /** How many attempts of this connection failed. */
  readonly failures: number;
};

/** Finds the account of a name and a password. Throws the reply where there is none. */
export type SignIn = (attempt: Attempt) => Promise<Account>;

const wrong = (isLast: boolean): ReplyError =>
  isLast
    ? new ReplyError({
        code: 421,
        enhanced: '4.7.0',
        text: 'Too many wrong passwords in one connection. Check the user name and password of this device.',
      })
    : new ReplyError({
        code: 535,
        enhanced: '5.7.8',
        text: 'The user name or the password is wrong. The user name is the name of an account of this server.',
      });

const braked = (waitMs: number): ReplyError =>
  new ReplyError({
    code: 454,
    enhanced: '4.7.0',
    text: `Too many wrong passwords. Try again in ${Math.ceil(waitMs / 60_000)} minutes, with the right one.`,
  });

/** Checks passwords, as slowly for a name that nobody has, and slows down those who guess. */
export const makeSignIn = (accounts: readonly Account[], now: () => Date, log: Log): SignIn => {
  const brake = makeBrake(now);
  const brakeOfNames = makeBrake(now, undefined, FREE_FOR_NAME);
  const known = new Set<string>();
  const secret = randomBytes(32);
  /** Of the password that was right last, by account: a hash takes 50 ms and 16 MB, and devices sign in for each email. */
  const right = new Map<string, string>();
  const byName = new Map(accounts.map((account) => [account.name, account]));
  const decoy = accounts.find(({ passwordHash }) => passwordHash !== undefined)?.passwordHash ?? '';
  const digestOf = (password: string): string => createHmac('sha256', secret).update(password).digest('hex');

  const matches = async (account: Account | undefined, password: string): Promise<boolean> => {
    const hash = account?.passwordHash;
    const digest = digestOf(password);
    if (account !== undefined && right.get(account.name) === digest) return true;
    const isRight = await isPasswordOf(hash ?? decoy, password);
    if (!isRight || account === undefined || hash === undefined) return false;
    right.set(account.name, digest);
    return true;
  };

  return async ({ username, password, address, failures }) => {
    const source = sourceOf(address);
    const pair = `${source} ${username}`;
    const waitMs = Math.max(brake.waitMs(source), known.has(pair) ? 0 : brakeOfNames.waitMs(username));
    if (waitMs > 0) throw braked(waitMs);
    const account = byName.get(username);
    // Counted before the password is looked at: attempts at the same time are all counted.
    brake.failed(source);
    brakeOfNames.failed(username);
    const isRight = await matches(account, password);
    if (account === undefined || !isRight) {
      log('warn', 'SignInFailed', { address, isKnownAccount: account !== undefined });
      throw wrong(failures + 1 >= MAX_FAILURES_OF_CONNECTION);
    }
    brake.succeeded(source);
    brakeOfNames.succeeded(username);
    if (known.size < MAX_KNOWN) known.add(pair);
    return account;
  };
};
