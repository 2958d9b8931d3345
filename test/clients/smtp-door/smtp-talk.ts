import net from 'node:net';
import tls from 'node:tls';

/** A conversation in SMTP over a raw socket, with bytes as they are written. */
export type Talk = {
  /** The next reply, of one line or several; empty where the connection ended. */
  readonly reply: () => Promise<string>;
  readonly write: (bytes: string | Buffer) => void;
  /** Writes a line and waits for its reply. */
  readonly say: (line: string) => Promise<string>;
  readonly startTls: (options?: tls.ConnectionOptions) => Promise<void>;
  readonly close: () => void;
};

/** True for the last line of a reply. */
const isLast = (line: string): boolean => /^\d{3}(?: |$)/.test(line);

/** Connects, and reads the greeting. */
export const talkTo = async (
  port: number,
  {
    secure,
    host = '127.0.0.1',
    from,
  }: { readonly secure?: tls.ConnectionOptions; readonly host?: string; readonly from?: string } = {},
): Promise<Talk & { readonly greeting: string }> => {
  let socket: net.Socket;
  let lines: string[] = [];
  let rest = '';
  let isClosed = false;
  let wake = (): void => {};
  const hear = (heard: net.Socket): void => {
    heard.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('latin1')).split('\r\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      wake();
    });
    heard.on('close', () => {
      if (heard !== socket) return;
      isClosed = true;
      wake();
    });
    heard.on('error', () => {});
  };
  socket =
    secure === undefined
      ? net.connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) })
      : tls.connect({ port, host, ...secure });
  hear(socket);
  const reply = async (): Promise<string> => {
    for (;;) {
      const end = lines.findIndex(isLast);
      if (end !== -1) {
        const taken = lines.slice(0, end + 1);
        lines = lines.slice(end + 1);
        return taken.join('\n');
      }
      if (isClosed) return '';
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const write = (bytes: string | Buffer): void => {
    socket.write(bytes);
  };
  return {
    greeting: await reply(),
    reply,
    write,
    say: (line) => {
      write(`${line}\r\n`);
      return reply();
    },
    startTls: async (options = {}) => {
      const plain = socket;
      plain.removeAllListeners('data');
      const secured = tls.connect({ socket: plain, ...options });
      socket = secured;
      hear(secured);
      await new Promise<void>((resolve, reject) => {
        secured.once('secureConnect', resolve);
        secured.once('error', reject);
      });
    },
    close: () => socket.destroy(),
  };
};
