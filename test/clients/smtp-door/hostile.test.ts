import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDoor, SCANNER } from './door-for-tests.ts';
import { message } from './judge.ts';
import { type Talk, talkTo } from './smtp-talk.ts';

const LAN = { ...SCANNER, networks: ['127.0.0.0/8'] };
const HEAD = 'From: a@contoso.com\r\nTo: chan@contoso.com\r\n\r\n';
const SECOND =
  'MAIL FROM:<evil@contoso.com>\r\nRCPT TO:<x@contoso.com>\r\nDATA\r\nFrom: evil@contoso.com\r\n\r\nSmuggled\r\n';

const begin = async (talk: Talk): Promise<void> => {
  for (const line of ['EHLO x', 'MAIL FROM:<a@contoso.com>', 'RCPT TO:<chan@contoso.com>', 'DATA'])
    await talk.say(line);
};

describe('only CRLF, a dot and CRLF end an email', () => {
  test.each([
    '\n.\n',
    '\n.\r\n',
    '\r\n.\n',
    '\r.\r',
    '\r\n.\r',
    '\r.\r\n',
    '\n.\r',
    '\r\n.\r\r\n',
    '\r\n\0.\r\n',
    '\r\n.\0\r\n',
  ])('%j does not', async (end) => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(`${HEAD}First${end}${SECOND}.\r\nQUIT\r\n`);
    expect(await talk.reply()).toMatch(/^(?:250|550) /);
    expect(await talk.reply()).toMatch(/^221 /);
    expect(delivered.length).toBeLessThanOrEqual(1);
    for (const { body } of delivered) expect(body.toString('latin1')).toContain('Smuggled');
  });

  test('however an email is cut into packets, and whatever dots it has', async () => {
    const { port, delivered } = await openDoor({
      accounts: [LAN],
      maxConnections: 1000,
      maxConnectionsPerAddress: 1000,
    });
    const talk = await talkTo(port);
    const line = fc
      .array(fc.constantFrom('.', '..', 'a', ' ', '-', 'From '), { maxLength: 4 })
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (lines, sizes) => {
          await begin(talk);
          const body = [...lines, 'end'].join('\r\n');
          const sent = Buffer.from(`${`${HEAD}${body}`.replaceAll(/^\./gm, '..')}\r\n.\r\n`);
          for (let at = 0, turn = 0; at < sent.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            talk.write(sent.subarray(at, at + size));
            at += size;
            if (turn % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          expect(await talk.reply()).toMatch(/^250 /);
          expect(delivered.at(-1)?.body.toString('latin1')).toBe(`${HEAD}${body}\r\n`);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a dot that ends the email at once is an email without anything', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await begin(talk);
    expect(await talk.say('.')).toMatch(/^250 /);
    expect(delivered[0]?.body.toString('latin1')).toBe(
      'From: a@contoso.com\r\nBcc: chan@contoso.com\r\n\r\n',
    );
  });
});

describe('an email that is too large', () => {
  test('is read to its end, rejected, and nothing of it is delivered; the connection goes on', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN], maxBytes: 10_000 });
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(HEAD);
    for (let lines = 0; lines < 2000; lines += 1) talk.write(`${'x'.repeat(70)}\r\n`);
    expect(await talk.say('.')).toBe(
      '552 5.3.4 The message is larger than 10000 bytes, which is the most that this server takes. Send smaller files, or a link.',
    );
    expect(delivered).toEqual([]);
    await begin(talk);
    talk.write(HEAD);
    expect(await talk.say('.')).toMatch(/^250 /);
  });

  test('may have exactly the size that is announced', async () => {
    const bytes = message('From: a@contoso.com', 'To: chan@contoso.com', '', 'x'.repeat(900));
    const { port } = await openDoor({ accounts: [LAN], maxBytes: bytes.length });
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(bytes);
    expect(await talk.say('.')).toMatch(/^250 /);
    await begin(talk);
    talk.write(Buffer.concat([bytes, Buffer.from('y\r\n')]));
    expect(await talk.say('.')).toMatch(/^552 5\.3\.4 /);
  });
});

describe('what a client claims or guesses changes nothing', () => {
  test('commands that are too long end the connection', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    expect(await talk.say(`EHLO ${'x'.repeat(5000)}`)).toBe('421 4.5.2 Error: Command line too long');
    expect(await talk.reply()).toBe('');
  });

  test('a line that never ends does too', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    talk.write('x'.repeat(100_000));
    expect(await talk.reply()).toMatch(/^421 4\.5\.2 /);
  });

  test('ten commands that nobody knows do too', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    const replies = [];
    for (let count = 0; count < 10; count += 1) replies.push(await talk.say('HACK'));
    expect(replies.at(-1)).toBe('421 4.7.0 Error: too many unrecognized commands');
  });

  test('commands without an email do too', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    talk.write('NOOP\r\n'.repeat(2000));
    let reply = await talk.reply();
    let count = 1;
    for (; reply === '250 2.0.0 OK'; count += 1) reply = await talk.reply();
    expect(reply).toBe('421 4.7.0 Too many commands without an email. Closing the connection.');
    expect(count).toBe(1501);
  });

  test('who speaks before the greeting is not heard', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    socket.write(`EHLO x\r\nMAIL FROM:<a@contoso.com>\r\nRCPT TO:<b@contoso.com>\r\nDATA\r\n${HEAD}.\r\n`);
    const heard = await new Promise<string>((resolve) => {
      let all = '';
      socket.on('data', (chunk: Buffer) => {
        all += chunk.toString();
      });
      socket.on('close', () => resolve(all));
    });
    expect(heard).toMatch(/^421 4\.5\.1 /);
    expect(delivered).toEqual([]);
  });

  test('a page in a browser cannot speak to the door', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    expect(await (await talkTo(port)).say('POST / HTTP/1.1')).toBe('421 4.5.1 HTTP requests not allowed');
  });

  test('fields cannot be put into the header by the envelope', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await talk.say('EHLO x');
    await talk.say('MAIL FROM:<a@contoso.com>');
    for (const address of [
      'b@contoso.com\rX: y',
      'b@contoso.com\0',
      'b@contoso.com\tX',
      '"b\\@x"@contoso.com',
      'b@contoso.com>, <c@contoso.com',
    ])
      expect(await talk.say(`RCPT TO:<${address}>`)).toMatch(/^5\d\d 5\.\d\.\d /);
  });

  test.each([
    'Bcc: x@evil.example',
    'Resent-To: x@evil.example',
    'X-Receiver: x@evil.example',
    'Apparently-To: x@evil.example',
  ])('%s sends to nobody else', async (field) => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await begin(talk);
    talk.write(`${field}\r\n${HEAD}`);
    const reply = await talk.say('.');
    expect(reply).toMatch(field.startsWith('Resent') ? /^550 5\.6\.0 / : /^250 /);
    for (const { body } of delivered)
      expect(body.toString().replace(/^Apparently-To.*/m, '')).not.toContain('evil');
  });
});
