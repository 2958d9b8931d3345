import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKey, KEY_PATTERN, looksLikeKey, makeKey, readKey } from '../../../src/lib/callers/caller-key.ts';
import { NOW } from '../../support/in-memory-ports.ts';

describe('a key of the relay', () => {
  test('has its id in it, and is known by its record', () => {
    const { text, record } = makeKey(NOW);
    expect(text).toMatch(KEY_PATTERN);
    expect(readKey(text)?.id).toBe(record.id);
    expect(isKey(record, readKey(text)!)).toBe(true);
    expect(record.createdAt).toBe(NOW.toISOString());
  });

  test('is always made of 260 random bits, as nobody can choose one', () => {
    const secrets = Array.from({ length: 200 }, () => readKey(makeKey(NOW).text)?.secret ?? '');
    for (const secret of secrets) expect(secret).toMatch(/^[a-km-np-z2-9]{52}$/);
    // Each of the 32 letters is at each place sooner or later: none of the places says the same in every key.
    for (let place = 0; place < 52; place += 1)
      expect(new Set(secrets.map((secret) => secret[place])).size).toBeGreaterThan(20);
    expect(makeKey.length).toBe(1);
  });

  test('cannot be made from what is kept of it', () => {
    const { text, record } = makeKey(NOW);
    expect(JSON.stringify(record)).not.toContain(readKey(text)!.secret);
  });

  test('has a salt of its own, so that two records never tell of the same secret', () => {
    const records = Array.from({ length: 50 }, () => makeKey(NOW).record);
    expect(new Set(records.map(({ salt }) => salt)).size).toBe(50);
    expect(new Set(records.map(({ id }) => id)).size).toBe(50);
  });

  test('is not another one, nor one with the id of another', () => {
    const [mine, other] = [makeKey(NOW), makeKey(NOW)];
    expect(isKey(mine.record, readKey(other.text)!)).toBe(false);
    expect(isKey(mine.record, { id: mine.record.id, secret: readKey(other.text)!.secret })).toBe(false);
  });

  test('with any one character changed is none, or another', () => {
    const { text, record } = makeKey(NOW);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 2 }), (at, instead) => {
        const changed = text.slice(0, at) + instead + text.slice(at + 1);
        const read = readKey(changed);
        if (changed === text || read === undefined) return;
        expect(read.id !== record.id || !isKey(record, read)).toBe(true);
      }),
    );
  });

  test('is never read out of anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readKey(text)).toBeUndefined();
        expect(readKey(`gmr_${text}`)).toBeUndefined();
      }),
    );
  });

  test.each(['gmr_', 'gmr_short_x', `GMR_${'a'.repeat(10)}_${'b'.repeat(52)}`])(
    '%s is no key, and where it begins like one that is known',
    (text) => {
      expect(readKey(text)).toBeUndefined();
      expect(looksLikeKey(text)).toBe(text.startsWith('gmr_'));
    },
  );
});
