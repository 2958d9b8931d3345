import { expect, test } from 'vitest';
import {
  decideAfterRange,
  isUploaded,
  RANGE_BYTES,
  toAttachmentBody,
  toUploadItem,
} from '../../../src/lib/sending/draft-files.ts';
import type { OutgoingFile } from '../../../src/lib/sending/outgoing-mail.ts';

const file = (bytes: number, more: Partial<OutgoingFile> = {}): OutgoingFile => ({
  filename: '薪資單 "3月".pdf',
  contentType: 'application/pdf',
  bytes,
  source: { kind: 'blob', name: 'a', etag: '1' },
  ...more,
});

test.each([
  [2_999_999, false],
  [3_000_000, true],
])('a file of %i bytes goes by an upload session: %s', (bytes, expected) => {
  expect(isUploaded(file(bytes))).toBe(expected);
});

test('a range is less than 4 MB, and is cut between groups of base64', () => {
  expect(RANGE_BYTES).toBeLessThan(4_000_000);
  expect(RANGE_BYTES % 3).toBe(0);
});

test('the request for a small file has its base64 as it is, whatever its name has', () => {
  expect(JSON.parse(toAttachmentBody(file(5), 'aGVsbG8=').toString())).toEqual({
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: '薪資單 "3月".pdf',
    contentType: 'application/pdf',
    contentBytes: 'aGVsbG8=',
  });
});

test('an upload is told the size, and the id of an inline file', () => {
  expect(toUploadItem(file(3_000_000, { cid: 'logo' }))).toEqual({
    attachmentType: 'file',
    name: '薪資單 "3月".pdf',
    size: 3_000_000,
    contentType: 'application/pdf',
    isInline: true,
    contentId: 'logo',
  });
});

test.each<[string, number, number | undefined, number, object]>([
  ['more is expected, as said', 200, 50, 50, { kind: 'go-on', start: 50 }],
  ['more is expected, and nobody says from where', 200, undefined, 50, { kind: 'go-on', start: 50 }],
  ['less was taken than was sent', 200, 30, 50, { kind: 'go-on', start: 30 }],
  ['the file is attached after its last byte', 201, undefined, 100, { kind: 'complete' }],
  ['the file is attached before its last byte', 201, undefined, 50, { kind: 'unclear' }],
  ['all bytes were sent, and it is not said to be attached', 200, undefined, 100, { kind: 'unclear' }],
])('%s', (_case, status, nextStart, end, expected) => {
  const report = { kind: 'answered', status, ...(nextStart === undefined ? {} : { nextStart }) } as const;
  expect(decideAfterRange(report, end, 100)).toEqual(expected);
});
