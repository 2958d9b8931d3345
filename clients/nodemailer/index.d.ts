/** How to reach the relay, and as whom. Give `key` or `token`, not both. */
export interface GraphMailRelayOptions {
  /** The address of the relay, which ends in `/api`. `https`; `http` only to this machine. */
  readonly url: string;
  /** A key of the relay (`gmr_...`), or a function key. */
  readonly key?: string | undefined;
  /** Gives a token of Entra ID for the relay. It is called before each request, so let it keep the token. */
  readonly token?: (() => Promise<string>) | undefined;
  /** How long one request can take, and `token`. 100,000 by default: the relay itself waits up to a minute for Graph. */
  readonly timeoutMs?: number | undefined;
  /** In place of `fetch` of Node.js, for example one with a proxy. */
  readonly fetch?: ((url: string, init: RelayRequest) => Promise<Response>) | undefined;
}

/** The part of `RequestInit` that the transport uses. */
export interface RelayRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
}

/** What a mail for `sendMail` can have beside the options of nodemailer. */
export interface GraphMailRelayMail {
  /**
   * 1 to 255 printable ASCII characters without blanks, which mean this one email. A second `sendMail` with the same key and the same
   * email does not send a second one. Without it, the transport makes a key for each `sendMail`.
   */
  readonly idempotencyKey?: string | undefined;
  /** What the relay does with this email. */
  readonly relay?:
    | {
        /** Up to ten words of your own, for the log, the status and events of the relay. */
        readonly tags?: readonly string[] | undefined;
        /** When the relay sends the email, at most 30 days ahead. */
        readonly sendAt?: Date | string | undefined;
        /** What the relay does if Graph does not say whether it sent the email. */
        readonly onUnknown?: 'verify' | 'hold' | 'resend' | undefined;
        /** How soon the relay sends the email. What recipients see is nodemailer's own option `priority`: their importance. */
        readonly priority?: 'high' | 'normal' | 'bulk' | undefined;
      }
    | undefined;
}

/** Something that recipients may not get as the email says. */
export interface RelayWarning {
  readonly code: string;
  readonly pointer?: string | undefined;
  readonly detail?: string | undefined;
}

/** What `sendMail` resolves to. */
export interface GraphMailRelayInfo {
  /** The Message-ID as composed; empty for a `raw` message without one. Exchange can give the email another one. */
  messageId: string;
  envelope: { from: string | false; to: string[] };
  /** Every recipient: the relay takes an email for all of them, or not at all. */
  accepted: string[];
  /** Always empty. */
  rejected: string[];
  /** `250 <state> <id>`. */
  response: string;
  relay: {
    /** The id of the email at the relay. */
    id: string;
    /** `sent`; `queued`; `unknown`: Graph may have sent it, and the relay finds out; and others, see the API of the relay. */
    state: string;
    /** Where the status is, if the email was not sent yet. */
    statusUrl?: string;
    warnings?: readonly RelayWarning[];
    /** True if the relay already had the email from an earlier request with the same key. */
    repeated: boolean;
    /** `mime`: as nodemailer composed it; `json`: as fields, because it is too large for one message in MIME. */
    form: 'mime' | 'json';
    idempotencyKey: string;
  };
  [key: string]: unknown;
}

/** What `sendMail` and `verify` reject with. */
export interface GraphMailRelayError extends Error {
  /**
   * `EAUTH`, `EENVELOPE`, `EMESSAGE`: the relay did not accept the email. `ECONNECTION`, `ETLS`: it accepted nothing, and the same email can
   * be sent later. `EOAUTH2`: the option `token` failed. `ECOMPOSE`: a part of the
   * email could not be read. `EPROTOCOL`: something other than the relay responded. `EOUTCOMEUNKNOWN`: the email may have been sent; send it again
   * only with `idempotencyKey`. `EALREADYACCEPTED`: the relay has an email with this key, see `relay`; do not send it again. `ECONFIG`,
   * `EABORT`: as in nodemailer.
   */
  readonly code: string;
  /** As an SMTP server would reply: 5xx if a repeated email is refused again, 4xx if nothing was accepted yet. */
  readonly responseCode?: number | undefined;
  /** `550 SENDER_NOT_ALLOWED title`. */
  readonly response?: string | undefined;
  readonly command?: string | undefined;
  /** The HTTP status of the last response. */
  readonly status?: number | undefined;
  /** The problem details of the relay (RFC 9457). */
  readonly problem?: RelayProblem | undefined;
  /** The email that the relay already has with this key (`EALREADYACCEPTED`), and its state if the relay says it. */
  readonly relay?:
    | { readonly id: string; readonly statusUrl: string; readonly state?: string | undefined }
    | undefined;
  /** With which to send the same email again. */
  readonly idempotencyKey?: string | undefined;
  /** After how many seconds the relay asks to try again. */
  readonly retryAfter?: number | undefined;
}

/** The body of a rejection. */
export interface RelayProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly remedy?: string;
  readonly detail?: string;
  readonly fixedBy?: string;
  readonly instance?: string;
  readonly id?: string;
  readonly problems?: readonly {
    readonly code: string;
    readonly pointer?: string;
    readonly expected?: string;
    readonly received?: string;
  }[];
}

/** A transport for `nodemailer.createTransport`. */
export interface GraphMailRelayTransport {
  name: string;
  version: string;
  supportsAbortSignal: boolean;
  send(mail: object, callback: (error: GraphMailRelayError | null, info: GraphMailRelayInfo) => void): void;
  verify(callback: (error: GraphMailRelayError | null, success: true) => void): void;
  verify(): Promise<true>;
  /** Always true: the transport has no queue. */
  isIdle(): boolean;
  /** Does nothing: the transport keeps no connection of its own. */
  close(): void;
}

/** Makes a transport that sends through a Graph Mail Relay. Throws if the options are wrong. */
export declare const graphMailRelay: (options: GraphMailRelayOptions) => GraphMailRelayTransport;
