import net from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { Delivered } from '../../../clients/smtp-door/src/submission.ts';
import { CONDITION_MS } from '../../support/patience.ts';
import { certificateFiles, listener, openDoor, PASSWORD, plainToken, SCANNER } from './door-for-tests.ts';
import { type Talk, talkTo } from './smtp-talk.ts';

const LAN = { accounts: [{ ...SCANNER, networks: ['127.0.0.0/8'] }] };
const HEAD = 'From: a@contoso.com\r\nTo: chan@contoso.com\r\n\r\n';
const SENT: Delivered = { kind: 'accepted', id: '1', state: 'sent' };

const begin = async (talk: Talk, size = ''): Promise<string> => {
  let reply = '';
  for (const line of ['EHLO x', `MAIL FROM:<a@contoso.com>${size}`, 'RCPT TO:<chan@contoso.com>', 'DATA'])
    reply = await talk.say(line);
  return reply;
};

const waitFor = <Value>(look: () => Value | Promise<Value>): Promise<Value> =>
  vi.waitFor(look, { timeout: CONDITION_MS });

/** Deliveries that end when the test says so. */
const slowly = () => {
  const waiting: ((delivered: Delivered) => void)[] = [];
  return {
    deliver: () => new Promise<Delivered>((resolve) => waiting.push(resolve)),
    begun: (count: number) => waitFor(() => expect(waiting).toHaveLength(count)),
    finish: () => {
      for (const resolve of waiting.splice(0)) resolve(SENT);
    },
  };
};

describe('connections', () => {
  test('are limited in total, and free again when one ends', async () => {
    const { port } = await openDoor({ ...LAN, maxConnections: 2 });
    const first = await talkTo(port);
    await talkTo(port);
    expect((await talkTo(port)).greeting).toBe('421 4.3.2 Too many connections. Try again in a minute.');
    first.close();
    await waitFor(async () => expect((await talkTo(port)).greeting).toMatch(/^220 /));
  });

  test('of those who have not signed in make room, the oldest first, for a new one', async () => {
    const { port } = await openDoor({ maxConnections: 2 });
    const [signedIn, oldest] = [await talkTo(port), await talkTo(port)];
    await signedIn.say('EHLO x');
    expect(await signedIn.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`)).toMatch(/^235 /);
    const next = await talkTo(port);
    expect(next.greeting).toMatch(/^220 /);
    expect(await oldest.reply()).toBe(
      '421 4.3.2 Too many connections. Sign in sooner, or try again in a minute.',
    );
    expect(await oldest.reply()).toBe('');
    expect((await talkTo(port)).greeting).toMatch(/^220 /);
    expect(await next.reply()).toMatch(/^421 /);
    expect(await signedIn.say('NOOP')).toMatch(/^250 /);
  });

  test('that have not finished the handshake of TLS make room too', async () => {
    const { files } = await certificateFiles();
    const { port } = await openDoor({
      maxConnections: 1,
      certificate: files,
      listeners: [listener({ tls: 'implicit' })],
    });
    const silent = net.connect(port, '127.0.0.1');
    const ended = new Promise((resolve) => silent.on('error', () => {}).once('close', resolve));
    await new Promise((resolve) => silent.once('connect', resolve));
    expect((await talkTo(port, { secure: { rejectUnauthorized: false } })).greeting).toMatch(/^220 /);
    await ended;
  });

  test('are limited for each address, over all listeners', async () => {
    const { door } = await openDoor({
      ...LAN,
      maxConnectionsPerAddress: 2,
      listeners: [listener(), listener()],
    });
    const [one = 0, other = 0] = door.ports;
    await talkTo(one);
    await talkTo(other);
    expect((await talkTo(one)).greeting).toBe(
      '421 4.7.0 Too many connections from this address. Close some, or try again.',
    );
    expect((await talkTo(one, { from: '127.0.0.2' })).greeting).toMatch(/^220 /);
  });

  test('that say nothing end, without TLS and before its handshake', async () => {
    const { files } = await certificateFiles();
    const { door } = await openDoor({
      ...LAN,
      idleMs: 200,
      certificate: files,
      listeners: [listener(), listener({ tls: 'implicit' }), listener({ tls: 'starttls' })],
    });
    const [plain = 0, implicit = 0, starttls = 0] = door.ports;
    const talk = await talkTo(plain);
    expect(await talk.reply()).toBe('421 4.4.2 Nothing was received for too long. Closing the connection.');
    expect(await talk.reply()).toBe('');
    const silent = net.connect(implicit, '127.0.0.1');
    await new Promise((resolve) => silent.once('close', resolve));
    const half = await talkTo(starttls);
    await half.say('EHLO x');
    await half.say('STARTTLS');
    expect(await half.reply()).toBe('');
  });

  test('that send a byte now and then end too', async () => {
    const { port, delivered } = await openDoor({ ...LAN, idleMs: 200 });
    const talk = await talkTo(port);
    await begin(talk);
    const timer = setInterval(() => talk.write('x'), 20);
    expect(await talk.reply()).toBe(
      '421 4.4.2 This connection took too long for one email. Nothing more was accepted.',
    );
    clearInterval(timer);
    expect(delivered).toEqual([]);
  });

  test('go on while an email is delivered, however long that takes', async () => {
    const slow = slowly();
    const { port } = await openDoor({ ...LAN, idleMs: 200 }, slow.deliver);
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(`${HEAD}.\r\n`);
    await slow.begun(1);
    // Others are ended meanwhile, also one that is never silent.
    const idle = await talkTo(port);
    await idle.reply();
    const busy = await talkTo(port);
    const timer = setInterval(() => busy.write('x'), 20);
    while ((await busy.reply()) !== '');
    clearInterval(timer);
    slow.finish();
    expect(await talk.reply()).toMatch(/^250 2\.0\.0 /);
  });
});

describe('an email that never ends', () => {
  test('as a device writes it that ends lines with LF, is told so, and nothing is accepted', async () => {
    const { port, delivered } = await openDoor({ ...LAN, idleMs: 200 });
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(
      'From: a@contoso.com\nTo: chan@contoso.com\n\nFirst\n.\nMAIL FROM:<b@contoso.com>\nRCPT TO:<b@contoso.com>\nDATA\n\nSecond\n.\n',
    );
    expect(await talk.reply()).toBe(
      '421 4.4.2 The end of the message (CRLF . CRLF) did not arrive in time. Nothing was accepted. If this device ends lines with LF alone, set it to CRLF.',
    );
    expect(delivered).toEqual([]);
  });

  test('because its client left, is forgotten with its memory', async () => {
    const { port, delivered } = await openDoor({ ...LAN, maxBytes: 100_000, memoryBytes: 1 });
    for (let turn = 0; turn < 5; turn += 1) {
      const talk = await talkTo(port);
      await begin(talk);
      talk.write(`${HEAD}${'x\r\n'.repeat(30_000)}`);
      talk.close();
    }
    await waitFor(async () => {
      const talk = await talkTo(port);
      await begin(talk);
      talk.write(`${HEAD}${'x\r\n'.repeat(30_000)}`);
      expect(await talk.say('.')).toMatch(/^250 /);
      talk.close();
    });
    expect(delivered).toHaveLength(1);
  });
});

describe('memory', () => {
  const LARGE = `${HEAD}${'x'.repeat(70)}\r\n`.padEnd(9_000, 'y\r\n');

  test('is limited: one more email waits outside, at MAIL if it says its size, and at its end if not', async () => {
    const slow = slowly();
    const { port } = await openDoor({ ...LAN, maxBytes: 10_000, memoryBytes: 1 }, slow.deliver);
    const talks = await Promise.all([1, 2, 3].map(() => talkTo(port)));
    for (const talk of talks) {
      await begin(talk);
      talk.write(`${LARGE}\r\n.\r\n`);
    }
    await slow.begun(3);
    const more = await talkTo(port);
    await more.say('EHLO x');
    expect(await more.say('MAIL FROM:<a@contoso.com> SIZE=9000')).toMatch(
      /^452 4\.3\.1 This server has no memory for another message/,
    );
    await begin(more);
    more.write(`${LARGE}\r\n.\r\n`);
    expect(await more.reply()).toMatch(/^452 4\.3\.1 /);
    slow.finish();
    for (const talk of talks) expect(await talk.reply()).toMatch(/^250 /);
    expect(await begin(more, ' SIZE=9000')).toMatch(/^354 /);
  });
});

describe('a door that closes', () => {
  test('ends who does nothing, lets who has given an email have its reply, and lets nobody in', async () => {
    const slow = slowly();
    const { door, port } = await openDoor(LAN, slow.deliver);
    const [idle, busy] = [await talkTo(port), await talkTo(port)];
    await begin(busy);
    busy.write(`${HEAD}.\r\n`);
    await slow.begun(1);
    const closed = door.close(60_000);
    expect(await idle.reply()).toBe('421 4.3.2 This server is shutting down. Try again in a minute.');
    const refused = net.connect(port, '127.0.0.1');
    await new Promise((resolve) => refused.once('error', resolve));
    slow.finish();
    expect(await busy.reply()).toMatch(/^250 2\.0\.0 /);
    expect(await busy.say('MAIL FROM:<a@contoso.com>')).toMatch(/^421 4\.3\.2 /);
    await closed;
  });

  test('waits for nobody longer than it is told', async () => {
    const slow = slowly();
    const { door, port } = await openDoor(LAN, slow.deliver);
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(`${HEAD}.\r\n`);
    await slow.begun(1);
    await door.close(0);
    expect(await talk.reply()).toBe('');
  });

  test('that cannot listen says at which port, and leaves no other open', async () => {
    const { port } = await openDoor();
    await expect(openDoor({ listeners: [listener(), listener({ port })] })).rejects.toThrow(
      `Expected to listen on 127.0.0.1 port ${port}, received EADDRINUSE: choose another port, or end what uses it.`,
    );
  });
});
