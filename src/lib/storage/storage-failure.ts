import { RestError } from '@azure/storage-blob';
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

const explain = (cause: unknown): never => {
  // Faults of our own keep their stack and their name.
  if (cause instanceof RestError && OURS.test(`${cause.code} ${cause.message}`)) throw cause;
  if (cause instanceof RestError || (cause as Error)?.name === 'AbortError')
    throw new AppError('STORAGE_UNAVAILABLE', { cause });
  throw cause;
};
