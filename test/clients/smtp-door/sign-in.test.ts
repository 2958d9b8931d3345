import { describe, expect, test } from 'vitest';
import { makeBrake } from '../../../clients/smtp-door/src/server/brake.ts';
import { listener, openDoor, PASSWORD, plainToken, SCANNER } from './door-for-tests.ts';
import { type Talk, talkTo } from './smtp-talk.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const WRONG = /^535 5\.7\.8 The user name or the password is wrong\. The user name is the name of an account/;
const MINUTE_MS = 60_000;

const greeted = async (port: number): Promise<Talk> => {
  const talk = await talkTo(port);
  await talk.say('EHLO x');
  return talk;
};

describe('signing in', () => {
  test('works with LOGIN, as devices do it, in each of its forms', async () => {
    const { port } = await openDoor();
    const talk = await greeted(port);
    expect(await talk.say('AUTH LOGIN')).toBe(`334 ${base64('Username:')}`);
    expect(await talk.say(base64('scanner'))).toBe(`334 ${base64('Password:')}`);
    expect(await talk.say(base64(PASSWORD))).toBe('235 2.7.0 Authentication successful');
    const other = await greeted(port);
    expect(await other.say(`AUTH LOGIN ${base64('scanner')}`)).toBe(`334 ${base64('Password:')}`);
    expect(await other.say(base64(PASSWORD))).toMatch(/^235 /);
  });

  test('works with PLAIN, its token in the command or after it', async () => {
    const { port } = await openDoor();
    const talk = await greeted(port);
    expect(await talk.say('AUTH PLAIN')).toBe('334 ');
    expect(await talk.say(plainToken('scanner', PASSWORD))).toMatch(/^235 /);
  });

  test.each([
    ['another password', 'scanner', 'wrong'],
    ['no password', 'scanner', ''],
    ['a name that nobody has', 'Scanner', PASSWORD],
    ['an account that is a network alone', 'lan', PASSWORD],
    ['a name of every object', '__proto__', PASSWORD],
  ])('is refused for %s', async (_, name, password) => {
    const { port } = await openDoor({
      accounts: [SCANNER, { name: 'lan', networks: ['10.0.0.0/8'], replaceFrom: false }],
    });
    const talk = await greeted(port);
    expect(await talk.say(`AUTH PLAIN ${plainToken(name, password)}`)).toMatch(WRONG);
    expect(await talk.say('MAIL FROM:<a@contoso.com>')).toMatch(/^530 5\.7\.0 /);
  });

  test.each([
    ['a token that is none', 'AUTH PLAIN !!!', /^501 5\.5\.4 /],
    ['a method that is not offered', 'AUTH CRAM-MD5', /^504 5\.5\.4 /],
    ['a token of another kind', 'AUTH XOAUTH2 dGVzdA==', /^504 5\.5\.4 /],
  ])('is refused for %s', async (_, line, expected) => {
    const { port } = await openDoor();
    expect(await (await greeted(port)).say(line)).toMatch(expected);
  });

  test('is not offered where no account has a password', async () => {
    const { port } = await openDoor({
      accounts: [{ name: 'lan', networks: ['127.0.0.1'], replaceFrom: false }],
    });
    const talk = await talkTo(port);
    expect(await talk.say('EHLO x')).not.toContain('AUTH');
    expect(await talk.say(`AUTH PLAIN ${plainToken('lan', '')}`)).toMatch(/^502 5\.5\.1 AUTH is off/);
  });

  test('without TLS is not offered unless the listener says so', async () => {
    const { port } = await openDoor({ listeners: [listener({ plainAuth: false })] });
    const talk = await talkTo(port);
    expect(await talk.say('EHLO x')).not.toContain('AUTH');
    expect(await talk.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`)).toBe(
      '502 5.5.1 AUTH is off on this port. Use a port with TLS.',
    );
  });

  test('uses the passwords that the door was given last', async () => {
    const { door, port } = await openDoor();
    door.useAccounts([{ ...SCANNER, name: 'erp' }]);
    expect(await (await greeted(port)).say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`)).toMatch(WRONG);
    expect(await (await greeted(port)).say(`AUTH PLAIN ${plainToken('erp', PASSWORD)}`)).toMatch(/^235 /);
  });

  test('leaves no name and no password in the log', async () => {
    const { port, events } = await openDoor();
    await (await greeted(port)).say(`AUTH PLAIN ${plainToken('chan@contoso.com', 'Secret99')}`);
    expect(events).toContainEqual({
      level: 'warn',
      event: 'SignInFailed',
      facts: { address: '127.0.0.1', isKnownAccount: false },
    });
    expect(JSON.stringify(events)).not.toMatch(/chan|Secret99/);
  });
});

describe('who guesses passwords', () => {
  const guess = async (port: number, name: string, password = 'wrong'): Promise<string> =>
    (await greeted(port)).say(`AUTH PLAIN ${plainToken(name, password)}`);

  test('has three attempts in a connection', async () => {
    const { port } = await openDoor();
    const talk = await greeted(port);
    const say = () => talk.say(`AUTH PLAIN ${plainToken('scanner', 'wrong')}`);
    expect(await say()).toMatch(WRONG);
    expect(await say()).toMatch(WRONG);
    expect(await say()).toMatch(/^421 4\.7\.0 Too many wrong passwords in one connection/);
    expect(await talk.reply()).toBe('');
  });

  test('waits after five from an address, with the right password too, and not for ever', async () => {
    let now = Date.parse('2026-11-26T10:00:00Z');
    const { port } = await openDoor({}, undefined, () => new Date(now));
    for (const name of ['a', 'b', 'c', 'd', 'e']) expect(await guess(port, name)).toMatch(WRONG);
    expect(await guess(port, 'scanner', PASSWORD)).toBe(
      '454 4.7.0 Too many wrong passwords. Try again in 1 minutes, with the right one.',
    );
    now += MINUTE_MS;
    expect(await guess(port, 'scanner', PASSWORD)).toMatch(/^235 /);
    expect(await guess(port, 'scanner')).toMatch(WRONG);
  });
});

test('a device goes on signing in from its address while others guess its password', async () => {
  const { port } = await openDoor();
  const attempt = async (from: string, password: string): Promise<string> => {
    const talk = await talkTo(port, { from });
    await talk.say('EHLO x');
    const reply = await talk.say(`AUTH PLAIN ${plainToken('scanner', password)}`);
    talk.close();
    return reply;
  };
  expect(await attempt('127.0.0.1', PASSWORD)).toMatch(/^235 /);
  for (let host = 0; host < 50; host += 1)
    expect(await attempt(`127.0.1.${host % 25}`, 'wrong')).toMatch(WRONG);
  expect(await attempt('127.0.0.7', PASSWORD)).toMatch(/^454 4\.7\.0 /);
  expect(await attempt('127.0.0.1', PASSWORD)).toMatch(/^235 /);
});

test('one address that guesses shuts no other one out', async () => {
  const { port } = await openDoor();
  const attempt = async (from: string, password: string): Promise<string> => {
    const talk = await talkTo(port, { from });
    await talk.say('EHLO x');
    const reply = await talk.say(`AUTH PLAIN ${plainToken('scanner', password)}`);
    talk.close();
    return reply;
  };
  for (let count = 0; count < 5; count += 1) expect(await attempt('127.0.0.66', 'wrong')).toMatch(WRONG);
  expect(await attempt('127.0.0.66', PASSWORD)).toMatch(/^454 4\.7\.0 /);
  expect(await attempt('127.0.0.77', PASSWORD)).toMatch(/^235 /);
});

describe('the brake', () => {
  test('waits a minute after five failures, then twice as long each time, at most 15 minutes', () => {
    let now = 0;
    const brake = makeBrake(() => new Date(now));
    const waits = Array.from({ length: 12 }, () => {
      brake.failed('a');
      const wait = brake.waitMs('a');
      now += wait;
      return wait / MINUTE_MS;
    });
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15]);
  });

  test('forgets after success, and after an hour', () => {
    let now = 0;
    const brake = makeBrake(() => new Date(now));
    for (let count = 0; count < 5; count += 1) brake.failed('a');
    brake.succeeded('a');
    expect(brake.waitMs('a')).toBe(0);
    for (let count = 0; count < 5; count += 1) brake.failed('a');
    now += 60 * MINUTE_MS;
    brake.failed('a');
    expect(brake.waitMs('a')).toBe(0);
  });

  test('keeps a limited number of keys, and forgets the one that failed longest ago', () => {
    const brake = makeBrake(() => new Date(0), 2);
    for (let count = 0; count < 5; count += 1) for (const key of ['a', 'b']) brake.failed(key);
    brake.failed('a');
    brake.failed('c');
    expect([brake.waitMs('a') > 0, brake.waitMs('b')]).toEqual([true, 0]);
  });
});
