/** Something the client must change. Its message becomes `{ "Error": ... }`, as Mailpit words its JSON errors. */
export class InboxProblem extends Error {
  override readonly name = 'InboxProblem';
  readonly status: 400 | 403 | 404 | 405;

  constructor(status: InboxProblem['status'], message: string) {
    super(message);
    this.status = status;
  }
}
