/** A message that a mailbox has received, as a list of Graph shows it: without its subject and its body. */
export type ReceivedMessage = {
  /** Immutable: the same wherever in the mailbox the message is moved. */
  readonly id: string;
  readonly receivedAt: Date;
  /** PidTagMessageClass, such as REPORT.IPM.Note.NDR. */
  readonly itemClass?: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Of a non-delivery report, Exchange names here whom it is about, not who receives it. */
  readonly toAddresses: readonly string[];
};

/** The first value of a header. */
export const headerOf = ({ headers }: ReceivedMessage, wanted: string): string | undefined =>
  headers.find(({ name }) => name.toLowerCase() === wanted)?.value;
