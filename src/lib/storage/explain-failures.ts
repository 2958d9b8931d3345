import type { RestError } from '@azure/storage-blob';
import { AppError } from '../errors.ts';

/** What storage does not take now it will not take later either (Table, Queue and Blob service error codes). */
const OURS = /(PropertyValue|Entity|RequestBody)TooLarge|OutOfRangeQueryParameterValue|MessageTooLarge/;

/** By its name, as the SDKs' own guard does: to import the class would load an SDK. */
const isRestError = (cause: unknown): cause is RestError => (cause as Error)?.name === 'RestError';

/** Turns what the storage SDKs throw into STORAGE_UNAVAILABLE; faults of our own keep their stack and their name. */
const explain = (cause: unknown): unknown => {
  if (isRestError(cause) && OURS.test(`${cause.code} ${cause.message}`)) return cause;
  const isOfStorage = isRestError(cause) || (cause as Error)?.name === 'AbortError';
  return isOfStorage ? new AppError('STORAGE_UNAVAILABLE', { cause }) : cause;
};

/** The same call, which throws STORAGE_UNAVAILABLE where storage fails. */
export const explained =
  <Inputs extends unknown[], Value>(call: (...inputs: Inputs) => Promise<Value>) =>
  async (...inputs: Inputs): Promise<Value> => {
    try {
      return await call(...inputs);
    } catch (cause) {
      throw explain(cause);
    }
  };

/** The same list, of which every step throws STORAGE_UNAVAILABLE where storage fails. */
export const explainedList = <Inputs extends unknown[], Item>(
  list: (...inputs: Inputs) => AsyncIterable<Item>,
) =>
  async function* (...inputs: Inputs): AsyncIterable<Item> {
    try {
      yield* list(...inputs);
    } catch (cause) {
      throw explain(cause);
    }
  };
