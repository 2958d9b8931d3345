import type { RestError } from '@azure/storage-blob';
import { AppError } from '../errors.ts';

/** Turns what the storage SDKs throw into STORAGE_UNAVAILABLE, for every function of an adapter that gives a promise. */
export const explainingFailures = <Adapter extends object>(adapter: Adapter): Adapter =>
  Object.fromEntries(
    Object.entries(adapter).map(([name, call]: [string, (...inputs: unknown[]) => unknown]) => [
      name,
      (...inputs: unknown[]) => {
        const result = call(...inputs);
        return result instanceof Promise ? result.catch(explain) : result;
      },
    ]),
  ) as Adapter;

/** What storage does not take now it will not take later either (Table, Queue and Blob service error codes). */
const OURS = /(PropertyValue|Entity|RequestBody)TooLarge|OutOfRangeQueryParameterValue|MessageTooLarge/;

/** By its name, as the SDKs' own guard does: to import the class would load an SDK. */
const isRestError = (cause: unknown): cause is RestError => (cause as Error)?.name === 'RestError';

const explain = (cause: unknown): never => {
  // Faults of our own keep their stack and their name.
  if (isRestError(cause) && OURS.test(`${cause.code} ${cause.message}`)) throw cause;
  if (isRestError(cause) || (cause as Error)?.name === 'AbortError')
    throw new AppError('STORAGE_UNAVAILABLE', { cause });
  throw cause;
};
