import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base64Fault, encodedTwiceFault, inOneLine } from '../../../src/lib/mail/base64.ts';
import {
  type Base64Text,
  decodedLength,
  decodeRange,
  encodedLength,
  writeBase64,
} from '../../../src/lib/mail/base64-text.ts';
import { LongBase64 } from '../../../src/lib/mail/long-base64.ts';

/** In chunks of these sizes. */
const inChunks = (text: string, sizes: readonly number[]): LongBase64 => {
  const bytes = Buffer.from(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return new LongBase64(chunks, /[\r\n]/.test(text));
};

const written = (text: Base64Text): string => {
  const into = Buffer.alloc(encodedLength(text) + 2, '.');
  expect(writeBase64(text, into, 1)).toBe(encodedLength(text) + 1);
  return into.toString('latin1');
};

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });

test('base64 in chunks is what the same base64 is as a string', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      sizes,
      fc.nat(420),
      fc.nat(420),
      (bytes, cuts, start, count) => {
        const text = Buffer.from(bytes).toString('base64');
        const long = inChunks(text, cuts);
        expect(long.toString()).toBe(text);
        expect(JSON.stringify({ long })).toBe(JSON.stringify({ long: text }));
        expect(encodedLength(long)).toBe(text.length);
        expect(decodedLength(long)).toBe(bytes.length);
        expect(written(long)).toBe(written(text));
        expect(long.slice(start, start + count)).toBe(text.slice(start, start + count));
        expect(decodeRange(long, start, count)).toEqual(decodeRange(text, start, count));
        expect(decodeRange(long, start, count)).toEqual(Buffer.from(bytes).subarray(start, start + count));
      },
    ),
  );
});

test('its faults are those of the same string', () => {
  const text = fc.string({ unit: fc.constantFrom('A', 'B', '+', '/', '=', '\r\n', 'Q'), maxLength: 24 });
  fc.assert(
    fc.property(text, sizes, (one, cuts) => {
      expect(base64Fault(inChunks(one, cuts))).toEqual(base64Fault(one));
      expect(inOneLine(inChunks(one, cuts)).toString()).toBe(inOneLine(one));
    }),
    { numRuns: 2000 },
  );
});

describe('long base64', () => {
  test('that was encoded twice is told as that', () => {
    const twice = Buffer.from(Buffer.from('x'.repeat(600)).toString('base64')).toString('base64');
    expect(encodedTwiceFault('a.pdf', inChunks(twice, [7]))).toEqual(encodedTwiceFault('a.pdf', twice));
    expect(encodedTwiceFault('a.pdf', twice)).toBeDefined();
  });

  test('shows none of its parts to what walks through a value', () => {
    expect(Object.values(inChunks('AAAA', [1]))).toEqual([]);
  });
});
