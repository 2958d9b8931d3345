import { describe, expect, test } from 'vitest';
import { makeRepeats } from '../../../clients/smtp-door/src/server/repeats.ts';
import type { Delivered } from '../../../clients/smtp-door/src/submission.ts';
import { listener, openDoor, PASSWORD, plainToken, SCANNER } from './door-for-tests.ts';
import { message } from './judge.ts';
import { type Talk, talkTo } from './smtp-talk.ts';

const MESSAGE = message(
  'From: Scanner <scanner@contoso.com>',
  'To: chan@contoso.com',
  'Subject: Scan',
  `Date: ${new Date().toUTCString()}`,
  'Message-ID: <scan-1@contoso.com>',
  '',
  'See the file.',
  '..and a line with a dot',
);
const LAN = { ...SCANNER, networks: ['127.0.0.0/8'] };

/** Says a whole email up to DATA. */
const begin = async (talk: Talk, to: readonly string[] = ['chan@contoso.com']): Promise<void> => {
  await talk.say('EHLO scanner');
  await talk.say('MAIL FROM:<scanner@contoso.com>');
  for (const address of to) await talk.say(`RCPT TO:<${address}>`);
  await talk.say('DATA');
};

const stuffed = (bytes: Buffer): string => bytes.toString('latin1').replaceAll(/^\./gm, '..');

const submit = async (talk: Talk, bytes: Buffer, to?: readonly string[]): Promise<string> => {
  await begin(talk, to);
  talk.write(Buffer.from(`${stuffed(bytes)}.\r\n`, 'latin1'));
  return talk.reply();
};

describe('a submission', () => {
  test('is given to the relay byte for byte, and answered with its id', async () => {
    const { port, delivered } = await openDoor();
    const talk = await talkTo(port);
    expect(talk.greeting).toBe('220 door.example.com ESMTP Graph Mail Relay');
    expect(await talk.say('EHLO scanner')).toMatchInlineSnapshot(`
      "250-door.example.com greets you
      250-PIPELINING
      250-8BITMIME
      250-SMTPUTF8
      250-ENHANCEDSTATUSCODES
      250-AUTH PLAIN LOGIN
      250 SIZE 1000000"
    `);
    expect(await talk.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`)).toBe(
      '235 2.7.0 Authentication successful',
    );
    expect(await talk.say('MAIL FROM:<scanner@contoso.com> SIZE=200 BODY=8BITMIME')).toBe(
      '250 2.1.0 Accepted',
    );
    expect(await talk.say('RCPT TO:<chan@contoso.com>')).toBe('250 2.1.5 Accepted');
    expect(await talk.say('DATA')).toMatch(/^354 /);
    talk.write(`${stuffed(MESSAGE)}.\r\n`);
    expect(await talk.reply()).toBe('250 2.0.0 Ok: 01a2055c-e268-762b-8556-1836e3fff5b7');
    expect(await talk.say('QUIT')).toBe('221 2.0.0 Bye');
    const [submission] = delivered;
    expect(delivered).toHaveLength(1);
    expect(submission).toMatchObject({ account: 'scanner', contentType: 'message/rfc822' });
    expect(submission?.body.toString('latin1')).toBe(MESSAGE.toString('latin1'));
  });

  test.each<[string, Delivered, string]>([
    ['of the spool has the id of the door', { kind: 'spooled' }, '250 2.0.0 Ok: <own>'],
    [
      'that the relay refuses has its remedy',
      {
        kind: 'refused',
        code: '550',
        enhanced: '5.7.1',
        text: 'The caller may not send as chan@contoso.com. Ask for it.',
      },
      '550 5.7.1 The caller may not send as (address). Ask for it.',
    ],
    [
      'that can be repeated says so',
      { kind: 'later', code: '451', enhanced: '4.4.1', text: 'The relay cannot be reached. Try again.' },
      '451 4.4.1 The relay cannot be reached. Try again.',
    ],
    [
      'with a code that is none stays one for good',
      { kind: 'refused', code: '250', enhanced: '2.0.0', text: 'No' },
      '554 5.0.0 No',
    ],
    [
      'with a code that is none stays one that can be repeated',
      { kind: 'later', code: '', enhanced: '', text: 'No' },
      '451 4.3.0 No',
    ],
  ])('%s', async (_, outcome, expected) => {
    const { port, delivered } = await openDoor({ accounts: [LAN] }, async () => outcome);
    const reply = await submit(await talkTo(port), MESSAGE);
    expect(reply.replace(delivered[0]?.id ?? '', '<own>')).toBe(expected);
  });

  test('whose delivery fails by a fault of the door can be repeated', async () => {
    const { port, events } = await openDoor({ accounts: [LAN] }, () =>
      Promise.reject(new TypeError('chan@contoso.com')),
    );
    expect(await submit(await talkTo(port), MESSAGE)).toMatch(
      /^451 4\.3\.0 An error in this server\. Nothing was accepted/,
    );
    expect(events).toContainEqual({ level: 'error', event: 'Unexpected', facts: { name: 'TypeError' } });
  });

  test('can be one of several in a connection, each with its own envelope', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await submit(talk, MESSAGE, ['a@contoso.com']);
    await submit(talk, MESSAGE, ['b@contoso.com']);
    expect(delivered.map(({ body }) => /^Bcc: .*$/m.exec(body.toString())?.[0]?.trim())).toEqual([
      'Bcc: a@contoso.com',
      'Bcc: b@contoso.com',
    ]);
  });

  test('can be written in one piece', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await talk.say('EHLO scanner');
    const commands = ['MAIL FROM:<scanner@contoso.com>', 'RCPT TO:<chan@contoso.com>', 'DATA'];
    talk.write(`${commands.join('\r\n')}\r\n`);
    for (const _ of commands) await talk.reply();
    talk.write(`${stuffed(MESSAGE)}.\r\nQUIT\r\n`);
    expect(await talk.reply()).toMatch(/^250 2\.0\.0 /);
    expect(await talk.reply()).toMatch(/^221 2\.0\.0 /);
    expect(delivered).toHaveLength(1);
  });

  test('leaves nothing of the email in the log', async () => {
    const { port, events } = await openDoor({ accounts: [LAN] });
    await submit(await talkTo(port), MESSAGE);
    expect(JSON.stringify(events)).not.toMatch(/@contoso|Scan"|See the file/);
    expect(events).toContainEqual({
      level: 'info',
      event: 'MessageAccepted',
      facts: expect.objectContaining({ account: 'scanner', recipients: 1, state: 'sent' }),
    });
  });
});

test('the log says why an email was rejected, and which client sent it', async () => {
  const { port, events } = await openDoor({ accounts: [LAN] }, async () => ({
    kind: 'refused',
    code: '550',
    enhanced: '5.7.1',
    text: 'SENDER_NOT_ALLOWED: Not chan@contoso.com.',
  }));
  const talk = await talkTo(port);
  await submit(talk, message('From: a@contoso.com, b@contoso.com', '', 'Text'));
  await submit(talk, MESSAGE);
  const refused = events.filter(({ event }) => event === 'MessageRefused').map(({ facts }) => facts);
  expect(refused).toEqual([
    expect.objectContaining({ client: '127.0.0.1', say: expect.stringContaining('several addresses') }),
    expect.objectContaining({ client: '127.0.0.1', say: 'SENDER_NOT_ALLOWED: Not (address).' }),
  ]);
});

describe('an email that a client repeats', () => {
  const keyOf = async (
    bytes: Buffer,
    to?: readonly string[],
    name = 'scanner',
  ): Promise<string | undefined> => {
    const { port, delivered } = await openDoor({ accounts: [{ ...LAN, name }] });
    await submit(await talkTo(port), bytes, to);
    return delivered[0]?.idempotencyKey;
  };
  const text = MESSAGE.toString('latin1');
  const other = (from: string, to: string): Buffer => Buffer.from(text.replace(from, to), 'latin1');

  test('has the same key, whatever the order of its recipients', async () => {
    const key = await keyOf(MESSAGE, ['a@contoso.com', 'b@contoso.com']);
    expect(key).toMatch(/^smtp-[0-9a-f]{64}$/);
    expect(await keyOf(MESSAGE, ['b@contoso.com', 'a@contoso.com', 'b@contoso.com'])).toBe(key);
  });

  test('has another key with another Message-ID, other recipients, other content or another account', async () => {
    const keys = await Promise.all([
      keyOf(MESSAGE),
      keyOf(other('scan-1', 'scan-2')),
      keyOf(MESSAGE, ['chan@contoso.com', 'lee@contoso.com']),
      keyOf(other('See', 'Read')),
      keyOf(MESSAGE, undefined, 'erp'),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each([
    '',
    'Message-ID: <>\r\n',
    'Message-ID: <@>\r\n',
    'Message-ID: (none)\r\n',
    'Message-ID: scan\r\n',
  ])('has a key of its own each time where it has no Message-ID, or one that is none: %j', async (field) => {
    const bytes = other('Message-ID: <scan-1@contoso.com>\r\n', field);
    expect(await keyOf(bytes)).not.toBe(await keyOf(bytes));
  });

  test.each([
    ['no Date', ''],
    ['the Date of a clock that was never set', 'Date: Thu, 01 Jan 1970 00:00:10 +0000\r\n'],
    ['a Date that is none', 'Date: today\r\n'],
  ])('has the key of a day where it has a Message-ID and %s', async (_, field) => {
    const bytes = Buffer.from(text.replace(/Date: .*\r\n/, field), 'latin1');
    const keyAt = async (time: string): Promise<string | undefined> => {
      const { port, delivered } = await openDoor({ accounts: [LAN] }, undefined, () => new Date(time));
      await submit(await talkTo(port), bytes);
      return delivered[0]?.idempotencyKey;
    };
    const key = await keyAt('2026-11-26T00:00:00Z');
    expect(await keyAt('2026-11-26T23:59:59Z')).toBe(key);
    expect(await keyAt('2026-11-27T00:00:00Z')).not.toBe(key);
  });

  test('has the key that the application gives it, which is not sent', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    await submit(await talkTo(port), other('Subject', 'X-Idempotency-Key: invoice-7\r\nSubject'));
    expect(delivered[0]?.idempotencyKey).toBe('invoice-7');
    expect(delivered[0]?.body.toString('latin1')).toBe(text);
  });

  test('is rejected where that key is none', async () => {
    const { port } = await openDoor({ accounts: [LAN] });
    expect(await submit(await talkTo(port), other('Subject', 'X-Idempotency-Key: a b\r\nSubject'))).toBe(
      '550 5.6.0 Expected in the header X-Idempotency-Key 1 to 255 printable ASCII characters without blanks, received a blank in it.',
    );
  });
});

describe.each([
  ['without a Message-ID', /Message-ID: .*\r\n/],
  ['with the Message-ID of all emails of its device, and without a Date', /Date: .*\r\n/],
])('an email %s', (_, field) => {
  const bytes = Buffer.from(MESSAGE.toString('latin1').replace(field, ''), 'latin1');
  const OK: Delivered = { kind: 'accepted', id: 'mail-1', state: 'sent' };
  const REFUSED: Delivered = { kind: 'refused', code: '554', enhanced: '5.6.0', text: 'No' };
  const LATER: Delivered = { kind: 'later', code: '451', enhanced: '4.4.7', text: 'Later' };
  const UNKNOWN: Delivered = { ...LATER, isUncertain: true };

  /** Sends it so often, and says with numbers which of them were one email for the relay. */
  const keysOf = async (outcomes: readonly Delivered[], hours = 0): Promise<readonly number[]> => {
    let time = Date.UTC(2026, 10, 26);
    const left = [...outcomes];
    const { port, delivered } = await openDoor(
      { accounts: [LAN] },
      async () => left.shift() ?? OK,
      () => new Date(time),
    );
    const talk = await talkTo(port);
    for (const _ of outcomes) {
      await submit(talk, bytes);
      time += hours * 3_600_000;
    }
    const keys = delivered.map(({ idempotencyKey }) => idempotencyKey);
    const known = [...new Set(keys)];
    return keys.map((key) => known.indexOf(key));
  };

  test.each<[string, readonly Delivered[], readonly number[]]>([
    ['that was sent twice, and accepted twice, is two emails', [OK, OK], [0, 1]],
    ['that is repeated after an unknown outcome is the same email', [UNKNOWN, OK, OK], [0, 0, 1]],
    ['stays the same one until its outcome is known', [UNKNOWN, UNKNOWN, LATER, OK, OK], [0, 0, 0, 0, 1]],
    ['has a new key after a refusal', [UNKNOWN, REFUSED, OK], [0, 0, 1]],
    ['has a new key where nothing can have been accepted', [LATER, OK], [0, 1]],
  ])('%s', async (_, outcomes, expected) => {
    expect(await keysOf(outcomes)).toEqual(expected);
  });

  test('is another email after a day', async () => {
    expect(await keysOf([UNKNOWN, OK], 23)).toEqual([0, 0]);
    expect(await keysOf([UNKNOWN, OK], 24)).toEqual([0, 1]);
  });

  test('has the key of no email that differs in recipients', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] }, async () => UNKNOWN);
    const talk = await talkTo(port);
    await submit(talk, bytes, ['a@contoso.com']);
    await submit(talk, bytes, ['b@contoso.com']);
    expect(new Set(delivered.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
  });

  test.each([
    ['that gave up waiting for the reply repeats it as the same email', 30_000, [0, 0, 1]],
    ['that did not wait for the reply sends another email', 1_000, [0, 1, 2]],
  ])('of a client %s', async (_, patienceMs, expected) => {
    let time = Date.UTC(2026, 10, 26);
    let respond = (_: Delivered): void => {};
    let arrived = (): void => {};
    const first = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { port, delivered } = await openDoor(
      { accounts: [LAN], maxConnections: 1 },
      () =>
        delivered.length > 1
          ? Promise.resolve(OK)
          : new Promise((resolve) => {
              respond = resolve;
              arrived();
            }),
      () => new Date(time),
    );
    const impatient = await talkTo(port);
    await begin(impatient);
    impatient.write(`${stuffed(bytes)}.\r\n`);
    await first;
    time += patienceMs;
    impatient.close();
    // The door has room for one: once it lets another in, it has seen that the first is gone.
    let other = await talkTo(port);
    while (!other.greeting.startsWith('220')) other = await talkTo(port);
    await submit(other, bytes);
    respond(OK);
    await submit(other, bytes);
    const keys = delivered.map(({ idempotencyKey }) => idempotencyKey);
    const known = [...new Set(keys)];
    expect(keys.map((key) => known.indexOf(key))).toEqual(expected);
  });
});

test('what the door remembers of repeated emails is bounded: the oldest goes first', () => {
  const { begin: claim } = makeRepeats(() => new Date(0), 2);
  for (const name of ['a', 'b', 'c']) claim(name, `key-${name}`, () => true).end('unknown');
  const keys = ['b', 'c', 'a'].map((name) => claim(name, 'fresh', () => true).idempotencyKey);
  expect(keys).toEqual(['key-b', 'key-c', 'fresh']);
});

describe('what devices get wrong in commands is understood', () => {
  test.each([
    ['HELO without a name', 'HELO', '250 door.example.com greets you'],
    ['EHLO with blanks alone', 'EHLO  ', /^250-door\.example\.com greets you/],
    ['HELO with an address', 'HELO 10.0.0.7', '250 door.example.com greets you'],
  ])('%s', async (_, line, expected) => {
    const { port } = await openDoor();
    const reply = await (await talkTo(port)).say(line);
    if (typeof expected === 'string') expect(reply).toBe(expected);
    else expect(reply).toMatch(expected);
  });

  test.each([
    'MAIL FROM:scanner@contoso.com',
    'MAIL FROM: <scanner@contoso.com>',
    'mail from:<root>',
    'MAIL FROM:<user.@contoso.com> SIZE=10',
    'MAIL FROM:scanner',
  ])('%s', async (line) => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await talk.say('EHLO scanner');
    expect(await talk.say(line)).toBe('250 2.1.0 Accepted');
    expect(await talk.say('RCPT TO: chan@contoso.com')).toBe('250 2.1.5 Accepted');
  });
});

describe('is rejected with a code and a text for people', () => {
  test.each([
    [
      'the empty sender',
      'MAIL FROM:<>',
      /^550 5\.7\.1 The empty sender <> is for reports .* Set a sender address/,
    ],
    [
      'a larger size',
      'MAIL FROM:<a@contoso.com> SIZE=1000001',
      /^552 5\.3\.4 The message is larger than 1000000 bytes/,
    ],
    ['a size that is none', 'MAIL FROM:<a@contoso.com> SIZE=x', /^501 5\.5\.4 /],
    ['a body that is none', 'MAIL FROM:<a@contoso.com> BODY=BINARYMIME', /^501 5\.5\.4 /],
    ['RCPT before MAIL', 'RCPT TO:<a@contoso.com>', /^503 5\.5\.1 /],
    ['DATA before RCPT', 'DATA', /^503 5\.5\.1 /],
    ['VRFY', 'VRFY chan', '502 5.5.1 VRFY is off on this server.'],
    ['EXPN', 'EXPN all', '502 5.5.1 EXPN is off on this server.'],
    ['STARTTLS where there is none', 'STARTTLS', '502 5.5.1 STARTTLS is off on this port.'],
    ['BDAT', 'BDAT 5 LAST', '502 5.5.1 BDAT is not offered. Send the message with DATA.'],
    ['the jokes of sendmail', 'WIZ please', /^500 5\.5\.2 /],
    ['a command that nobody knows', 'SEND', /^500 5\.5\.2 /],
    ['XCLIENT', 'XCLIENT ADDR=10.0.0.1', /^500 5\.5\.2 /],
    ['PROXY', 'PROXY TCP4 10.0.0.1 10.0.0.2 1 2', /^500 5\.5\.2 /],
  ])('%s', async (_, line, expected) => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await talk.say('EHLO scanner');
    const reply = await talk.say(line);
    if (typeof expected === 'string') expect(reply).toBe(expected);
    else expect(reply).toMatch(expected);
  });

  test.each([
    ['a source route', '@a.example,@b.example:c@contoso.com', /^550 5\.7\.1 Routes/],
    ['a percent route', 'x%y.example@contoso.com', /^550 5\.7\.1 Routes/],
    ['a bang path', 'host!x@contoso.com', /^550 5\.7\.1 Routes/],
    ['a name that is not ASCII', Buffer.from('陳@contoso.com').toString('latin1'), /^553 5\.6\.7 /],
    ['an address literal', 'x@[10.0.0.1]', /^553 5\.1\.3 Expected one address such as name@example\.com/],
    ['a domain without a dot', 'x@localhost', /^553 5\.1\.3 /],
    ['postmaster alone', 'postmaster', /^553 5\.1\.3 /],
    ['nothing', '', /^501 5\.1\.3 /],
  ])('the recipient: %s', async (_, address, expected) => {
    const { port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await talk.say('EHLO scanner');
    await talk.say('MAIL FROM:<a@contoso.com> SMTPUTF8');
    talk.write(Buffer.from(`RCPT TO:<${address}>\r\n`, 'latin1'));
    expect(await talk.reply()).toMatch(expected);
  });

  test('the recipient after the 500th, and the email goes to the others', async () => {
    const { port, delivered } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    const to = Array.from({ length: 501 }, (_, place) => `a${place}@contoso.com`);
    await talk.say('EHLO scanner');
    await talk.say('MAIL FROM:<a@contoso.com>');
    talk.write(to.map((address) => `RCPT TO:<${address}>\r\n`).join(''));
    const replies = [];
    for (const _ of to) replies.push(await talk.reply());
    expect(replies.at(-2)).toBe('250 2.1.5 Accepted');
    expect(replies.at(-1)).toMatch(/^452 4\.5\.3 An email has at most 500 recipients/);
    await talk.say('DATA');
    talk.write(`${stuffed(MESSAGE)}.\r\n`);
    expect(await talk.reply()).toMatch(/^250 /);
    expect(delivered[0]?.body.toString().match(/a\d+@contoso\.com/g)).toHaveLength(500);
  });
});

describe('no one sends without an account', () => {
  const tryAll = async (talk: Talk): Promise<readonly string[]> => {
    await talk.say('EHLO scanner');
    return [
      await talk.say('MAIL FROM:<a@contoso.com>'),
      await talk.say('RCPT TO:<x@gmail.com>'),
      await talk.say('DATA'),
    ];
  };

  test('neither signed in nor in a network', async () => {
    const { port, delivered } = await openDoor({ accounts: [{ ...SCANNER, networks: ['10.0.0.0/8'] }] });
    expect(await tryAll(await talkTo(port))).toEqual([
      expect.stringMatching(/^530 5\.7\.0 Authentication required/),
      expect.stringMatching(/^503 /),
      expect.stringMatching(/^503 /),
    ]);
    expect(delivered).toEqual([]);
  });

  test('an account that is removed while its client is connected', async () => {
    const { door, port } = await openDoor({ accounts: [LAN] });
    const talk = await talkTo(port);
    await begin(talk);
    door.useAccounts([]);
    talk.write(`${stuffed(MESSAGE)}.\r\n`);
    expect(await talk.reply()).toMatch(/^530 5\.7\.0 /);
  });

  test('a network is an account, and signing in is another', async () => {
    const { port, delivered } = await openDoor({
      accounts: [{ name: 'lan', networks: ['127.0.0.1/32'], replaceFrom: false }, SCANNER],
    });
    const talk = await talkTo(port);
    await submit(talk, MESSAGE);
    await talk.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`);
    await submit(talk, MESSAGE);
    expect(delivered.map(({ account }) => account)).toEqual(['lan', 'scanner']);
  });

  test('a network over IPv6, and over IPv4 as an IPv6 socket reports it', async () => {
    const { door, delivered } = await openDoor({
      accounts: [{ ...SCANNER, networks: ['::1/128', '127.0.0.1'] }],
      listeners: [listener({ host: '::' })],
    });
    const [port = 0] = door.ports;
    for (const host of ['::1', '127.0.0.1']) await submit(await talkTo(port, { host }), MESSAGE);
    expect(delivered).toHaveLength(2);
  });
});
