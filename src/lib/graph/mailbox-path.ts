/** A row of the ledger can hold text that is cut inside a character, of which no path can be made. */
export const pathOfMailbox = (mailbox: string): string =>
  `/users/${encodeURIComponent(mailbox.toWellFormed())}`;
