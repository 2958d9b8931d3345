import { AppError } from '../../src/lib/errors.ts';

/** Runs what is expected to throw an AppError, and gives that error. */
export const errorOf = (action: () => unknown): AppError => {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('expected an AppError, but nothing was thrown');
};

/** Code and pointer of every problem, in the order found. */
export const problemsOf = (action: () => unknown): string[] =>
  (errorOf(action).facts.problems ?? []).map(({ code, pointer }) => `${code} ${pointer}`);
