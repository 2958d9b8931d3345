import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/lib/ledger/canonical-json.ts';
import { earlierHashOfContent } from '../../../src/lib/ledger/earlier-identity.ts';
import { callerOfKey, makeIdentity, wholeIn } from '../../../src/lib/ledger/identity.ts';
import { LongBase64 } from '../../../src/lib/mail/long-base64.ts';
import { aMail } from '../../support/a-mail.ts';

const one = makeIdentity(Buffer.alloc(32, 1));
const other = makeIdentity(Buffer.alloc(32, 2));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('ids and hashes', () => {
  test('depend on the key of the relay, so that nobody else can compute them', () => {
    expect(one.mailIdOfKey('queue', 'k')).not.toBe(other.mailIdOfKey('queue', 'k'));
    expect(one.mailIdOfMessage('m')).not.toBe(other.mailIdOfMessage('m'));
    expect(one.mailIdOfText('t')).not.toBe(other.mailIdOfText('t'));
    expect(one.hashOfContent(aMail())).not.toBe(other.hashOfContent(aMail()));
    expect(one.hashOfKey('k')).not.toBe(other.hashOfKey('k'));
    expect(one.tagOf('t')).not.toBe(other.tagOf('t'));
  });

  test('an id is always the same UUID in lower case, apart by caller, key and kind', () => {
    const ids = [
      one.mailIdOfKey('queue', 'k'),
      one.mailIdOfKey('queue', 'K'),
      one.mailIdOfKey('key:a', 'k'),
      one.mailIdOfMessage('k'),
      one.mailIdOfText('k'),
    ];
    for (const id of ids) expect(id).toMatch(UUID);
    expect(new Set(ids).size).toBe(ids.length);
    expect(one.mailIdOfKey('queue', 'k')).toBe(ids[0]);
  });

  test('any text has an id, also one that is not well-formed Unicode', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(one.mailIdOfKey('queue', `${text}\ud800`)).toMatch(UUID);
      }),
    );
  });

  test('of a content is the same in whatever order its fields are written, without its key, and with absent fields written out', () => {
    const mail = { to: 'a@b.example', headers: { 'x-a': '1', 'x-b': '2' }, tags: ['a', 'b'] };
    const written = { tags: ['a', 'b'], headers: { 'x-b': '2', 'x-a': '1' }, to: 'a@b.example' };
    expect(one.hashOfContent({ ...written, idempotencyKey: 'k' })).toBe(one.hashOfContent(mail));
    expect(one.hashOfContent({ ...mail, cc: null, replyTo: '', attachments: [], bcc: [null, ''] })).toBe(
      one.hashOfContent(mail),
    );
    // Nor its priority, so that a request which says normal is the same as one that says nothing. One that cannot be read is refused.
    for (const priority of ['high', 'normal', 'BULK', null, ''])
      expect(one.hashOfContent({ ...mail, priority })).toBe(one.hashOfContent(mail));
    expect(one.hashOfContent({ ...mail, priority: 'urgent' })).not.toBe(one.hashOfContent(mail));
    // What a façade leaves undefined is not there when the email is read from the queue.
    const undefinedInside = {
      ...mail,
      cc: [undefined],
      from: { address: 'a@b.example', name: undefined },
      html: undefined,
    };
    expect(one.hashOfContent(undefinedInside)).toBe(
      one.hashOfContent(JSON.parse(JSON.stringify(undefinedInside))),
    );
    expect(one.hashOfContent({ ...mail, tags: ['b', 'a'] })).not.toBe(one.hashOfContent(mail));
  });

  test('a content is known by its hash of today and by that of an earlier version', () => {
    expect(one.isContent(one.hashOfContent(aMail()), aMail())).toBe(true);
    expect(one.isContent(earlierHashOfContent(aMail()), aMail())).toBe(true);
    expect(one.isContent(earlierHashOfContent(aMail()), aMail({ priority: 'bulk' }))).toBe(true);
    expect(one.isContent(one.hashOfContent(aMail()), aMail({ subject: 'other' }))).toBe(false);
    expect(one.isContent(other.hashOfContent(aMail()), aMail())).toBe(false);
    expect(one.isContent('', aMail())).toBe(false);
    expect(one.isContent('', undefined)).toBe(false);
  });

  test('a content of a request with several is known by itself, and so is the request', () => {
    const hash = one.hashOfContent(aMail(), one.wholeOf([aMail(), aMail({ subject: 'other' })]));
    expect([one.isContent(hash, aMail()), one.isContent(hash, aMail({ subject: 'other' }))]).toEqual([
      true,
      false,
    ]);
    expect(wholeIn(hash)).toBe(one.wholeOf([aMail(), aMail({ subject: 'other' })]));
    expect(one.wholeOf([aMail()])).not.toBe(one.wholeOf([aMail(), aMail()]));
    expect([
      wholeIn(one.hashOfContent(aMail())),
      wholeIn(''),
      wholeIn(earlierHashOfContent(aMail())),
    ]).toEqual([undefined, undefined, undefined]);
    // The longest that a message on the queue can have.
    expect(hash.length).toBeLessThanOrEqual(100);
  });

  test('a tag proves its own text and no other', () => {
    expect(one.isTag(one.tagOf('text'), 'text')).toBe(true);
    expect(one.isTag(one.tagOf('text'), 'texts')).toBe(false);
    expect(one.isTag(other.tagOf('text'), 'text')).toBe(false);
    expect(one.isTag('', 'text')).toBe(false);
  });
});

describe('the name of the holder of a function key', () => {
  test('a function key cannot be read from the name of its holder, and a random one cannot be guessed by it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 40 }), fc.nat(319), (bytes, bit) => {
        const key = Buffer.from(bytes).toString('base64url');
        const name = callerOfKey(key);
        // 60 bits, whatever the key is: of 256 random bits, countless keys have each name.
        expect(name).toMatch(/^key:[\w-]{10}$/);
        // A guess that is almost right has another name, so that nothing tells how near it is.
        const near = Buffer.from(bytes);
        const at = (bit >> 3) % near.length;
        near[at] = (near[at] ?? 0) ^ (1 << (bit & 7));
        const other = callerOfKey(near.toString('base64url')).slice(4);
        expect([...other].filter((letter, index) => letter === name[index + 4]).length).toBeLessThan(8);
      }),
    );
    expect(callerOfKey('canary')).not.toContain('canary');
  });

  test('depends on nothing but the key, so a weak key can be guessed by it', () => {
    // Rows and declared callers have such names: it stays what it is.
    expect(callerOfKey('canary')).toBe('key:Adj6UKeFy1');
    const name = callerOfKey('payroll-2026');
    const guesses = ['payroll', 'payroll1', 'payroll-2025', 'payroll-2026'];
    expect(guesses.filter((guess) => callerOfKey(guess) === name)).toEqual(['payroll-2026']);
  });
});

test('canonical JSON is JSON of the same value, the same for values that are equal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(plain);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});

describe('the hash of a content', () => {
  const { hashOfContent, isContent } = makeIdentity(Buffer.alloc(32, 7));
  const mail = {
    subject: '薪資單',
    to: ['a@contoso.example'],
    text: 'x'.repeat(10_000),
    tags: [],
    idempotencyKey: 'k',
  };

  test('stays what it is, as rows and queue messages hold it', () => {
    expect(hashOfContent(mail)).toBe('k2.imsC-iZCP7wNY-QgsgNKumggMY8AKsy4oFEuSvzWp8w');
  });

  test('of an earlier form, in which a long text was not hashed by itself, still is that of its content', () => {
    const earlier = 'k1.HngxIqLB5tBRs0qRK-cGVIzc_WMtzNEML_OBjDkTohA';
    expect(isContent(earlier, mail)).toBe(true);
    expect(isContent(earlier, { ...mail, subject: 'another' })).toBe(false);
  });

  test('differs where a long text differs anywhere, or is only written like the hash of one', () => {
    const long = 'x'.repeat(5000);
    const hashes = [
      long,
      `${long}y`,
      `y${long}`,
      `#${createHash('sha256').update(long).digest('base64url')}`,
    ].map((text) => hashOfContent({ text }));
    expect(new Set(hashes).size).toBe(4);
  });
});

describe('long base64 has the hash of the same text', () => {
  const text = 'JVBERi0x'.repeat(10_000);
  const chunks = [Buffer.from(text.slice(0, 33_333)), Buffer.from(text.slice(33_333))];
  const long = new LongBase64(chunks, false);
  const mailWith = (content: unknown) => ({ subject: 's', attachments: [{ filename: 'a.pdf', content }] });

  test.each([
    ['in an attachment', mailWith(long), mailWith(text)],
    ['as raw MIME', { mime: long }, { mime: text }],
    ['in a list', { mime: [long] }, { mime: [text] }],
  ])('%s, also in the form of earlier versions', (_, mail, same) => {
    const identity = makeIdentity(Buffer.alloc(32, 1));
    expect(identity.hashOfContent(mail)).toBe(identity.hashOfContent(same));
    for (const hash of [identity.hashOfContent(same), earlierHashOfContent(same)])
      expect(identity.isContent(hash, mail)).toBe(true);
    expect(identity.hashOfContent({ ...mail, mime: 'other' })).not.toBe(identity.hashOfContent(same));
  });
});
