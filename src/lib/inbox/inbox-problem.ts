/** Something the client must change. Its message becomes `{ "Error": ... }`, as Mailpit words its JSON errors. */
export class InboxProblem extends Error {
  override readonly name = 'InboxProblem';
  /** 501 for a call of Mailpit that is not offered; of a relay behind the inbox, the status that it returned. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
