import { type Declaration, toDefinition } from './caller-definition.ts';

/** What can be done to a caller. */
export type CallerAction =
  | 'added'
  | 'changed'
  | 'disabled'
  | 'enabled'
  | 'removed'
  | 'key-made'
  | 'key-revoked'
  /** The entry was changed in the table, and does not say it any more. */
  | 'unreadable';

/** A field of a definition before and after; absent where there was no such rule. */
export type FieldChange = { readonly field: string; readonly from?: unknown; readonly to?: unknown };

/** One change of a caller, for operators: addresses can be in it, keys never. */
export type AuditEntry = {
  readonly at: string;
  /** By which it was allowed. */
  readonly with: 'master key';
  /** Who it was, in their own words. */
  readonly by?: string;
  readonly caller: string;
  readonly action: CallerAction;
  readonly changes: readonly FieldChange[];
  /** The id of a key that was made or revoked. */
  readonly keyId?: string;
};

/** Every field in which two declarations of one caller differ. */
export const changesBetween = (
  before: Declaration | undefined,
  after: Declaration | undefined,
): readonly FieldChange[] => {
  const [from, to]: readonly Record<string, unknown>[] = [before, after].map((one) =>
    one === undefined ? {} : toDefinition(one),
  );
  const names = new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})]);
  names.delete('name');
  return [...names].flatMap((field) => {
    const [was, is] = [from?.[field], to?.[field]];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [{ field, ...(was === undefined ? {} : { from: was }), ...(is === undefined ? {} : { to: is }) }];
  });
};
