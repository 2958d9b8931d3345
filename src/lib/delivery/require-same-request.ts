import { type Caller, isOf } from '../callers/caller.ts';
import { AppError } from '../errors.ts';
import { wholeIn } from '../ledger/identity.ts';
import { notStored } from './attempt-for-caller.ts';
import { identityOfKey, type SendMailNeeds } from './send-mail.ts';

const AT_A_TIME = 8;

/**
 * For emails that are accepted one by one, although one key is for all of them: throws IDEMPOTENCY_KEY_REUSED where the ledger has any of
 * the keys from another request than `whole` stands for, so that nothing of this one is accepted. `keys` are all that a request can have.
 */
export const requireSameRequest = async (
  needs: Pick<SendMailNeeds, 'ledger' | 'readIdentity'>,
  caller: Caller,
  whole: string,
  keys: readonly string[],
): Promise<void> => {
  const identity = await needs.readIdentity().catch(notStored);
  const rest = keys.values();
  const work = async (): Promise<void> => {
    for (const key of rest) {
      const { mailId } = await identityOfKey(needs, identity, caller, key);
      const row = (await needs.ledger.find(mailId))?.row;
      if (row !== undefined && isOf(caller, row.facts.caller) && wholeIn(row.facts.bodyHash) !== whole)
        throw new AppError('IDEMPOTENCY_KEY_REUSED', { mailId });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work)).catch(notStored);
};
