import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasBareLineEnds, withLineEnds } from '../../../clients/smtp-door/src/message/line-ends.ts';
import { mailboxKey } from '../../../clients/smtp-door/src/message/mailbox.ts';
import { parseMail } from '../../../src/lib/mail/mail-schema.ts';
import { judge } from './judge.ts';

const PEOPLE = ['chan@contoso.com', 'Lee@contoso.com', 'boss@fabrikam.com', 'x@xn--bcher-kva.example'];

const person = fc.oneof(
  fc.constantFrom(...PEOPLE),
  fc.constantFrom(...PEOPLE).map((address) => `"Chan, Tai Man" <${address}>`),
  fc.constantFrom(...PEOPLE).map((address) => `Gr\xf6\xdfe <${address.toUpperCase()}>`),
  fc.constantFrom(
    'nobody',
    '<>',
    'a@b',
    'Team: chan@contoso.com, boss@fabrikam.com;',
    'undisclosed-recipients:;',
    '=?utf-8?B?5o6D?= <chan@contoso.com>',
    '"open',
    '(c) boss@fabrikam.com',
  ),
);
const people = fc.array(person, { maxLength: 4 }).map((all) => all.join(', '));
const junk = fc.string({
  unit: fc.constantFrom('a', ' ', '\t', '\xe4', '=', '?', '"', ';', ':', '<', '\0', '.', '-'),
  maxLength: 40,
});
const field = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'From',
      'To',
      'Cc',
      'Bcc',
      'Reply-To',
      'Sender',
      'X-Receiver',
      'Disposition-Notification-To',
    ),
    people,
  ),
  fc.tuple(
    fc.constantFrom(
      'Subject',
      'X-Order',
      'Message-ID',
      'Date',
      'Comments',
      'References',
      'Importance',
      'List-Id',
    ),
    junk,
  ),
  fc.tuple(
    fc.constantFrom('Content-Type', 'Content-Transfer-Encoding', 'MIME-Version'),
    fc.constantFrom(
      'text/plain',
      'text/html; charset=utf-8',
      'multipart/mixed; boundary=b',
      '1.0',
      '8bit',
      'base64',
      'quoted-printable',
      'binary',
      'x',
    ),
  ),
);
const line = fc.oneof(
  field.map(([name, value]) => `${name}: ${value}`),
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' folded',
      '\t',
      'no field',
      'To : chan@contoso.com',
      'From x',
      '--b',
      '--b--',
      '',
    ),
  },
);
const message = fc
  .tuple(
    fc.array(line, { maxLength: 8 }),
    fc.array(fc.oneof(junk, fc.constantFrom('--b', '--b--', '', 'Content-Type: text/plain')), {
      maxLength: 6,
    }),
    fc.constantFrom('\r\n', '\r\n', '\n', '\r'),
  )
  .map(([header, body, end]) => Buffer.from([...header, '', ...body, ''].join(end), 'latin1'));

const keysOf = (addresses: readonly { readonly address: string }[]) =>
  addresses.map(({ address }) => mailboxKey(address));

describe('whatever a device writes', () => {
  test('goes to those of the envelope and to nobody else, or is rejected with a reason', async () => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        message,
        fc.uniqueArray(fc.constantFrom(...PEOPLE), { minLength: 1 }),
        async (bytes, to) => {
          const judged = await judge(bytes, { envelope: { to } });
          if (judged.kind === 'refused') {
            expect(judged.text).toMatch(/^5\d\d 5\.\d\.\d .{10}/s);
            return;
          }
          sent += 1;
          const mail =
            judged.contentType === 'message/rfc822'
              ? { mime: judged.body.toString('base64') }
              : JSON.parse(judged.body.toString());
          const { data, unknown } = parseMail(mail);
          expect(unknown).toEqual([]);
          expect(new Set(data && keysOf([...data.to, ...data.cc, ...data.bcc]))).toEqual(
            new Set(to.map((address) => mailboxKey(address))),
          );
          if (judged.contentType === 'message/rfc822') expect(hasBareLineEnds(judged.body)).toBe(false);
        },
      ),
      { numRuns: 400 },
    );
    // Else nothing was shown.
    expect(sent).toBeGreaterThan(100);
  });

  test('is the same for the relay each time it is judged, and where it is judged again', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (bytes) => {
        const [one, other] = [await judge(bytes), await judge(bytes)];
        expect(other.text).toBe(one.text);
        if (one.kind === 'refused' || one.contentType !== 'message/rfc822') return;
        expect((await judge(one.body)).text).toBe(one.text);
      }),
      { numRuns: 150 },
    );
  });

  test('has CRLF at the end of every line, and nothing else is changed', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\r', '\n', 'a'), maxLength: 30 }), (text) => {
        const mended = withLineEnds(Buffer.from(text)).toString();
        expect(mended).toBe(text.replaceAll(/\r\n|\r|\n/g, '\r\n'));
        expect(hasBareLineEnds(Buffer.from(text))).toBe(mended !== text);
      }),
    );
  });
});
