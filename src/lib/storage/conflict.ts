import { RestError } from '@azure/data-tables';
import { isMissingTable } from './open-table.ts';

/** It is there already, is gone, or is no longer what it was. */
const CONFLICTS = new Set([404, 409, 412]);

/** Whether an entity was not what the request expected: then nothing was written. */
export const isConflict = (error: unknown): error is RestError =>
  error instanceof RestError && CONFLICTS.has(error.statusCode ?? 0) && !isMissingTable(error);

/** Undefined where an entity was not what the request expected. Throws all else. */
export const unlessChanged = (error: unknown): undefined => {
  if (isConflict(error)) return undefined;
  throw error;
};
