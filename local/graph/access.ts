import { v5 as uuidFromName } from 'uuid';
import type { Directory, Mailbox } from '../directory.ts';
import type { Caller } from './authenticate.ts';
import { accessDenied, mailboxUnknown, mailboxUnlicensed } from './refusals.ts';

export type Action = 'send' | 'read' | 'write';

/**
 * Two ways to the same right, and either is enough: consent in Entra stands in the token and reaches every mailbox; a role
 * in Exchange never stands in the token and reaches the mailboxes of its scope.
 * https://learn.microsoft.com/exchange/permissions-exo/application-rbac
 * `Mail.ReadBasic` is missing on purpose: it leaves out every extended property, which is what is looked for.
 */
const GRANTS: Record<Action, { readonly token: readonly string[]; readonly exchange: readonly string[] }> = {
  send: { token: ['Mail.Send'], exchange: ['Application Mail.Send', 'Application Mail Full Access'] },
  read: {
    token: ['Mail.Read', 'Mail.ReadWrite'],
    exchange: ['Application Mail.Read', 'Application Mail.ReadWrite', 'Application Mail Full Access'],
  },
  write: {
    token: ['Mail.ReadWrite'],
    exchange: ['Application Mail.ReadWrite', 'Application Mail Full Access'],
  },
};

/** Throws the refusal of Graph where neither way gives this right. */
export const requireAccess = (action: Action, caller: Caller, mailbox: Mailbox): void => {
  const { token, exchange } = GRANTS[action];
  if (caller.roles.some((role) => token.includes(role))) return;
  const covered = caller.app.exchangeRoles.some(
    ({ role, mailboxes }) =>
      exchange.includes(role) && mailboxes.some((address) => isAddressOf(mailbox, address)),
  );
  if (!covered) throw accessDenied();
};

/** By object id, user principal name or any other address, as Graph does. */
export const findMailbox = (directory: Directory, idOrAddress: string): Mailbox => {
  const found = directory.mailboxes.find(
    (mailbox) =>
      isAddressOf(mailbox, idOrAddress) || objectIdOf(directory, mailbox) === idOrAddress.toLowerCase(),
  );
  if (found === undefined) throw mailboxUnknown(idOrAddress);
  if (!found.licensed) throw mailboxUnlicensed();
  return found;
};

/** The directory gives people no object ids; this one is the same at every start. */
export const objectIdOf = (directory: Directory, mailbox: Mailbox) =>
  uuidFromName(mailbox.address.toLowerCase(), directory.tenantId);

const isAddressOf = (mailbox: Mailbox, address: string) =>
  [mailbox.address, ...mailbox.proxyAddresses].some((own) => isSameAddress(own, address));

/** Whether the mailbox can have this address in `from`. */
export const maySendAs = (mailbox: Mailbox, address: string) =>
  isAddressOf(mailbox, address) || mailbox.sendAs.some((other) => isSameAddress(other, address));

const isSameAddress = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
