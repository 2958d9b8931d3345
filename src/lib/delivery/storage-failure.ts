import { AppError } from '../errors.ts';

/** Storage fails, whatever was asked of it: the same can succeed later. */
export const isStorageFailure = (failure: unknown): failure is AppError =>
  failure instanceof AppError && failure.code === 'STORAGE_UNAVAILABLE';

/** How long a message waits when storage fails it. */
export const STORAGE_WAIT_MS = 60_000;
