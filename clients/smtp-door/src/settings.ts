/** One port that the door listens on. */
export type Listener = {
  readonly host: string;
  readonly port: number;
  /** `starttls`: plain until STARTTLS; `implicit`: TLS from the first byte; `none`: a private network only. */
  readonly tls: 'starttls' | 'implicit' | 'none';
  /** Whether AUTH is offered without TLS: for old devices in a private network. */
  readonly plainAuth: boolean;
  /** The lowest TLS version, and ciphers of OpenSSL, for old devices; Node's own where absent. */
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
};

/** A caller of the relay, as clients of the door are it. */
export type Account = {
  readonly name: string;
  /** Of AUTH; absent where only networks are this account. scrypt, as `smtp-door hash-password` prints it. */
  readonly passwordHash?: string;
  /** Networks in CIDR notation that are this account without AUTH. */
  readonly networks: readonly string[];
  /** In place of a From that is missing, and for what a network sends with another one, where that is wanted. */
  readonly from?: string;
  readonly replaceFrom: boolean;
};

/** What the SMTP side needs of the configuration. */
export type DoorSettings = {
  /** The name the door greets with. */
  readonly name: string;
  readonly listeners: readonly Listener[];
  readonly certificate?: { readonly certFile: string; readonly keyFile: string };
  readonly accounts: readonly Account[];
  /** Largest message in bytes, as SIZE announces it. */
  readonly maxBytes: number;
  /** What messages in progress hold in memory together; three of the largest at least. 256 MB where absent. */
  readonly memoryBytes?: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** A connection that says nothing for so long is closed. */
  readonly idleMs: number;
  /** Bare LF or CR in a message: written as CRLF, or refused. */
  readonly bareLineEnds: 'mend' | 'refuse';
  /** Addresses in To and Cc that the envelope does not name: taken out of the header, or refused. */
  readonly otherRecipients: 'remove' | 'refuse';
};
