import type net from 'node:net';
import type tls from 'node:tls';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import type { Listener } from '../settings.ts';
import type { Certificate } from './certificate.ts';
import { DoorConnection } from './door-connection.ts';

/** RFC 5321, 4.5.3.1.4 has 512 bytes; AUTH PLAIN with a long password and MAIL with parameters need more. */
const MAX_COMMAND_BYTES = 4096;
const MAX_RECIPIENTS = 500;

/** What is off everywhere: it says who exists, trusts what a stranger says of itself, or is a joke of sendmail. */
const OFF = ['VRFY', 'EXPN', 'WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD'];

/** OpenSSL 3 refuses TLS below 1.2 at its usual security level (SSL_CTX_set_security_level). */
const FOR_OLD_TLS = 'DEFAULT@SECLEVEL=0';

type Handlers = Required<Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>>;

export type DoorServerOptions = {
  readonly name: string;
  readonly maxBytes: number;
  readonly idleMs: number;
  /** Whether any account has a password. */
  readonly offersAuth: () => boolean;
  readonly certificate?: Certificate | undefined;
  readonly handlers: Handlers;
  /** Hears of connections that broke, such as those without a common version of TLS. */
  readonly broke: (code: string) => void;
};

const tlsOptions = ({ minVersion = 'TLSv1.2', ciphers }: Listener): tls.SecureContextOptions => {
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  const list = ciphers ?? (isOld ? FOR_OLD_TLS : undefined);
  return { minVersion, ...(list === undefined ? {} : { ciphers: list }) };
};

/** The SMTP server of one listener. It does not listen itself: it is given sockets that the gate let in. */
export class DoorServer extends SMTPServer {
  readonly maxBytes: number;
  readonly offersTls: boolean;
  readonly #listener: Listener;
  readonly #offersAuth: () => boolean;

  constructor(listener: Listener, options: DoorServerOptions) {
    const { name, maxBytes, idleMs, offersAuth, certificate, handlers, broke } = options;
    super({
      ...handlers,
      name,
      size: maxBytes,
      rejectOversized: true,
      maxRecipients: MAX_RECIPIENTS,
      maxCommandLength: MAX_COMMAND_BYTES,
      socketTimeout: idleMs,
      secure: listener.tls === 'implicit',
      allowInsecureAuth: listener.plainAuth,
      authOptional: true,
      authMethods: ['PLAIN', 'LOGIN'],
      hideENHANCEDSTATUSCODES: false,
      hideDSN: true,
      lenientAddressParsing: true,
      disableReverseLookup: true,
      heloResponse: '%s greets you',
      banner: 'Graph Mail Relay',
      disabledCommands: OFF,
      logger: false,
      ...tlsOptions(listener),
      ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
    });
    this.maxBytes = maxBytes;
    this.offersTls = listener.tls === 'starttls';
    this.#listener = listener;
    this.#offersAuth = offersAuth;
    this.on('error', (error: NodeJS.ErrnoException) => broke(error.code ?? error.name));
  }

  /** Takes over a connection. */
  take(socket: net.Socket): void {
    this.server.emit('connection', socket);
  }

  /** New connections get this certificate; those that are open keep theirs. */
  useCertificate({ cert, key }: Certificate): void {
    if (this.#listener.tls !== 'none') this.updateSecureContext({ cert, key });
  }

  /** Ends connections that do nothing; the others finish their email, and every command after it is answered with 421. */
  shutDown(): void {
    this.close();
    for (const connection of this.connections)
      if (connection instanceof DoorConnection && !connection.isWaitingForUs && !connection.isReceiving)
        connection.send(421, '4.3.2 This server is shutting down. Try again in a minute.');
  }

  override connect(socket: net.Socket, options?: Parameters<SMTPServer['connect']>[1]): void {
    const connection = new DoorConnection(this, socket, options);
    this.connections.add(connection);
    connection.on('error', (error) => this._onError(error));
    connection.init();
  }

  override onConnect(session: SMTPServerSession, callback: (error?: Error | null) => void): void {
    this.#offer(session);
    callback();
  }

  override onSecure(_: unknown, session: SMTPServerSession, callback: (error?: Error | null) => void): void {
    this.#offer(session);
    callback();
  }

  /** AUTH is announced only where a password can be sent: a client that sees it sends one, also without TLS. */
  #offer(session: SMTPServerSession): void {
    const mayAuth = this.#offersAuth() && (session.secure || this.#listener.plainAuth);
    session.disabledCommands = [
      ...OFF,
      ...(mayAuth ? [] : ['AUTH']),
      ...(this.offersTls ? [] : ['STARTTLS']),
    ];
  }
}
