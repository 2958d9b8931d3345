/** A refusal in Graph's own words: thrown wherever a rule is broken, turned into an answer in one place. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A page of the web server in front of Graph, in place of Graph's JSON. */
  readonly html: string | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    html?: string,
  ) {
    super(message);
    this.html = html;
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export type RequestIds = { readonly requestId: string; readonly clientRequestId: string };

/** https://learn.microsoft.com/graph/errors; the date carries no zone there either. */
export const toGraphErrorBody = (
  { code, message }: { readonly code: string; readonly message: string },
  { requestId, clientRequestId }: RequestIds,
  at: Date,
) => ({
  error: {
    code,
    message,
    innerError: {
      date: at.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length),
      'request-id': requestId,
      'client-request-id': clientRequestId,
    },
  },
});
