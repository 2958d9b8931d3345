import type net from 'node:net';
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import { oneLine } from '../relay/one-line.ts';
import type { DoorServer } from './door-server.ts';
import { visitKey } from './networks.ts';
import { replyOfLibrary } from './replies-of-library.ts';
import { OWN_CODE } from './reply.ts';

/** Of one transaction with 500 recipients there is room for twice as many; a client that only talks is ended. */
const MAX_COMMANDS = 1500;

/** RFC 5321, 4.1.1.1 wants a name; old devices say none. */
const BARE_GREETING = /^(HELO|EHLO)[ \t]*$/i;
/** RFC 5321, 3.3 wants angle brackets; some devices leave them out. */
const BARE_PATH = /^((?:MAIL FROM|RCPT TO)[ \t]*:)[ \t]*([^<>\s]+)(.*)$/is;
/** A sender without a domain, as devices on Linux have it. */
const LOCAL_SENDER = /^(MAIL FROM[ \t]*:[ \t]*<)([^<>@\s]+)>/i;
/** RFC 5321, appendix C: a server may decline the routes of earlier times. */
const SOURCE_ROUTE = /^RCPT TO[ \t]*:[ \t]*<@/i;

/** One connection, with the replies of the door in place of the library's, and what devices get wrong put right. */
export class DoorConnection extends SMTPConnection {
  readonly #door: DoorServer;
  #commands = 0;

  constructor(door: DoorServer, socket: net.Socket, options?: SMTPConnectionOptions | null) {
    super(door, socket, options);
    this.#door = door;
  }

  get key(): string {
    return visitKey(this.remoteAddress, this.remotePort, this.localPort);
  }

  /** True while the final dot has not come. */
  get isReceiving(): boolean {
    return this._parser !== false && this._parser._dataMode;
  }

  /** True while the client waits for a reply. */
  get isWaitingForUs(): boolean {
    return this._handlerPending || (Boolean(this._dataStream) && !this.isReceiving);
  }

  /** The email is at its end, or the next one can begin. */
  startOver(): void {
    this.#commands = 0;
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (typeof data !== 'string') super.send(code, data, context);
    else if (OWN_CODE.test(data)) super.send(code, data, false);
    else {
      const reply = replyOfLibrary(code, data, context, {
        maxBytes: this.#door.maxBytes,
        offersTls: this.#door.offersTls && !this.secure,
        isReceiving: this.isReceiving,
      });
      if (reply === undefined) super.send(code, oneLine(data), context);
      else super.send(reply.code, `${reply.enhanced} ${oneLine(reply.text)}`, false);
    }
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    this.#commands += 1;
    if (this.#commands > MAX_COMMANDS)
      this.send(421, '4.7.0 Too many commands without an email. Closing the connection.');
    else super._onCommand(this._nextHandler ? command : this.#mended(command), callback);
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    if (SOURCE_ROUTE.test(command.toString())) {
      this.send(550, '5.7.1 Routes in addresses are not supported. Send to name@example.com alone.');
      callback();
    } else super.handler_RCPT(command, callback);
  }

  #mended(command: Buffer): Buffer {
    const text = command.toString('latin1').trimEnd();
    const greeting = BARE_GREETING.exec(text);
    if (greeting !== null) return Buffer.from(`${greeting[1]} [${this.remoteAddress}]`, 'latin1');
    const path = BARE_PATH.exec(text);
    const written = path === null ? text : `${path[1]}<${path[2]}>${path[3]}`;
    return Buffer.from(written.replace(LOCAL_SENDER, '$1$2@localhost>'), 'latin1');
  }
}
