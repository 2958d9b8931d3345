import { describe, expect, test } from 'vitest';
import type { ReceivedMessage } from '../../../src/lib/bounces/received-message.ts';
import { reportKindOf } from '../../../src/lib/bounces/report-kind.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const received = (itemClass: string | undefined, headers: Record<string, string> = {}): ReceivedMessage => ({
  id: 'an-id',
  receivedAt: NOW,
  ...(itemClass === undefined ? {} : { itemClass }),
  headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  toAddresses: [],
});
const AUTO = { 'Auto-Submitted': 'auto-replied', 'Return-Path': '<>' };

describe('a message that a mailbox received is', () => {
  test.each([
    ['a failure', 'REPORT.IPM.Note.NDR', {}, 'failed'],
    ['a failure of an invitation', 'REPORT.IPM.Schedule.Meeting.Request.NDR', {}, 'failed'],
    ['a delay', 'REPORT.IPM.Note.Delayed.DR', {}, 'delayed'],
    ['a hand-over to a system that sends no reports', 'report.ipm.note.relayed.dr', {}, 'relayed'],
    ['an expansion of a group', 'REPORT.IPM.Note.Expanded.DR', {}, 'expanded'],
    ['a delivery', 'REPORT.IPM.Note.DR', {}, 'delivered'],
    ['a receipt of who read it', 'REPORT.IPM.Note.IPNRN', {}, 'receipt'],
    ['a receipt of who deleted it', 'REPORT.IPM.Note.IPNNRN', {}, 'receipt'],
    [
      'what its fields say, where the tenant keeps reports of other systems as they are',
      'IPM.Note',
      { ...AUTO, 'Content-Type': 'Multipart/Report; report-type="delivery-status"; boundary=b' },
      'status',
    ],
    [
      'a receipt, where its headers say so',
      'IPM.Note',
      { 'Content-Type': 'multipart/report; report-type=disposition-notification; boundary=b' },
      'receipt',
    ],
    [
      'a failure, where only the header of Exchange says so',
      undefined,
      { 'X-MS-Exchange-Message-Is-Ndr': '' },
      'failed',
    ],
    ['no report, if a person is away', 'IPM.Note.Rules.OofTemplate.Microsoft', AUTO, undefined],
    ['no report, if it is any automatic reply', 'IPM.Note', AUTO, undefined],
    ['no report, whatever its subject says', 'IPM.Note', { Subject: 'Undeliverable: Pay slip' }, undefined],
    ['no report, if it is a report of another kind', 'REPORT.IPM.Note.Other', {}, undefined],
    ['no report, if it is a message', 'IPM.Note', {}, undefined],
  ])('%s', (_case, itemClass, headers, kind) => {
    expect(reportKindOf(received(itemClass, headers))).toBe(kind);
  });
});
