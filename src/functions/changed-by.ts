import type { HttpRequest } from '@azure/functions';
import type { By } from '../lib/desk/caller-register.ts';
import { AppError } from '../lib/errors.ts';

/** In which an operator says who they are: the master key does not say it. */
const HEADER = 'x-changed-by';
const MAX_BY = 100;

const decoded = (written: string): string | undefined => {
  try {
    return decodeURIComponent(written).trim();
  } catch {
    return undefined;
  }
};

/** Reads who changes something. Headers are ASCII, so the text is written as in a URL. Throws CHANGED_BY_INVALID. */
export const readChangedBy = ({ headers }: HttpRequest): By => {
  const written = headers.get(HEADER) ?? '';
  if (written === '') return {};
  const by = decoded(written);
  if (by === undefined || by === '' || by.length > MAX_BY || /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(by))
    throw new AppError('CHANGED_BY_INVALID', {
      detail: `Expected in ${HEADER} a text of 1 to ${MAX_BY} characters, written as in a URL, received another.`,
    });
  return { by };
};
