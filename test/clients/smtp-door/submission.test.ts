import { describe, expect, test } from 'vitest';
import { openDoor, PASSWORD, plainToken } from './door-for-tests.ts';
import { talkTo } from './smtp-talk.ts';

const MESSAGE = [
  'From: Scanner <scanner@contoso.com>',
  'To: chan@contoso.com',
  'Subject: Scan',
  'Message-ID: <scan-1@contoso.com>',
  'Date: Thu, 26 Nov 2026 10:00:00 +0800',
  'MIME-Version: 1.0',
  '',
  'See the file.',
  '',
].join('\r\n');

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
    expect(await talk.say('MAIL FROM:<scanner@contoso.com> SIZE=200')).toBe('250 2.1.0 Accepted');
    expect(await talk.say('RCPT TO:<chan@contoso.com>')).toBe('250 2.1.5 Accepted');
    expect(await talk.say('DATA')).toMatch(/^354 /);
    talk.write(`${MESSAGE}.\r\n`);
    expect(await talk.reply()).toBe('250 2.0.0 Ok: 01a2055c-e268-762b-8556-1836e3fff5b7');
    expect(await talk.say('QUIT')).toBe('221 2.0.0 Bye');
    expect(delivered).toHaveLength(1);
    const [submission] = delivered;
    expect(submission?.account).toBe('scanner');
    expect(submission?.contentType).toBe('message/rfc822');
    expect(submission?.body.toString('latin1')).toBe(MESSAGE);
  });
});
