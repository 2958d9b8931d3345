import { describe, expect, test } from 'vitest';
import { toStatus } from '../../../src/lib/desk/mail-status.ts';
import { readTimeline } from '../../../src/lib/desk/timeline.ts';
import { inWords } from '../../../src/lib/desk/timeline-words.ts';
import { FINAL_STATES, OPEN_STATES } from '../../../src/lib/ledger/ledger-row.ts';
import {
  cancel,
  captureNew,
  close,
  recordFound,
  recordLookUps,
} from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const { rows } = aDelivery();
const at = '2026-03-02T08:00:00.000Z';

describe('the timeline of an email', () => {
  test('has every event of every state as facts, none of them left to be guessed', () => {
    const states = new Set<string>();
    const ended = [
      close(rows.held, 'found in Sent Items', NOW),
      cancel(rows.queued, NOW),
      captureNew(rows.queued.facts, false, NOW),
    ];
    for (const row of [...Object.values(rows), ...ended]) {
      const events = readTimeline(toStatus(row));
      expect(events.filter(({ kind }) => kind === 'other')).toEqual([]);
      expect(events[0]).toMatchObject({ kind: 'accepted' });
      states.add(row.fate.state);
      if (row.fate.state !== 'queued')
        expect(events.at(-1)).toMatchObject({ kind: 'state', state: row.fate.state });
      for (const event of events) expect(inWords(event)).toMatch(/^[A-Z].*[.]$/);
    }
    expect([...states].sort()).toEqual([...OPEN_STATES, ...FINAL_STATES].sort());
  });

  test.each([
    [
      {
        event: 'attempt not-sent',
        code: 'GRAPH_THROTTLED',
        upstreamCode: 'ApplicationThrottled',
        waitMs: 4100,
      },
      /^An attempt did not send it: .+ \(GRAPH_THROTTLED, ApplicationThrottled\)\. The other side asked to wait 5 s\.$/,
    ],
    [
      { event: 'attempt accepted', graphRequestId: '5018' },
      /^Graph accepted it \(202, Graph request 5018\)\.$/,
    ],
    [
      { event: 'attempt unknown', code: 'OUTCOME_UNKNOWN' },
      /^An attempt has no known outcome, and may have sent it\.$/,
    ],
    [
      { event: 'attempt rejected', code: 'OF_A_LATER_VERSION' },
      /^An attempt was rejected \(OF_A_LATER_VERSION\)\.$/,
    ],
    [
      { event: 'attempt unknown', code: 'OUTCOME_UNKNOWN', status: 504, tookMs: 31_020 },
      /^Graph returned 504 after 31 s\. An attempt has no known outcome, and may have sent it\.$/,
    ],
    [
      { event: 'attempt unknown', code: 'OUTCOME_UNKNOWN', tookMs: 30_000 },
      /^The attempt ended after 30 s, without an answer of Graph\. An attempt has no known outcome/,
    ],
    [{ event: 'attempt accepted', status: 202, tookMs: 812 }, /^Graph accepted it after 812 ms \(202\)\.$/],
    [
      { event: 'look-up found', times: 3 },
      /^The relay looked in the mailbox of the sender 3 times and found it\.$/,
    ],
    [{ event: 'look-up not-now', times: 0 }, /^The relay could not read the mailbox the last time\.$/],
    [
      { event: 'report failed', recipient: 2, code: '5.1.1' },
      /^A delivery report says of recipient 2: failed \(5\.1\.1\)\.$/,
    ],
    [{ event: 'replayed', by: 'operator' }, /^An operator replayed it\.$/],
    [{ event: 'replayed', by: 'application' }, /^Its application repeated the request/],
    [{ event: 'replayed' }, /^It was taken up again\.$/],
    [{ event: 'held', code: 'OUTCOME_UNKNOWN', times: 1 }, /^The relay held it: .+ \(OUTCOME_UNKNOWN\)\.$/],
    [
      { event: 'held', code: 'OF_A_LATER_VERSION', times: 2 },
      /^The relay held it, for the last of 2 times \(OF_A_LATER_VERSION\)\.$/,
    ],
    [{ event: 'delivered', by: 'someone' }, /^delivered by=someone$/],
  ])('%j is told in words', (event, words) => {
    const [read] = readTimeline({ state: 'sent', timeline: [{ at, ...event }] });
    expect(read && inWords(read)).toMatch(words);
  });

  test('says how often a mailbox was looked into, between the attempt and what came of it', () => {
    const looked = recordLookUps(rows.unknown, { at: NOW.toISOString(), times: 3, seen: 'found' });
    const events = toStatus(recordFound(looked, NOW)).timeline;
    expect(events.slice(-2)).toEqual([
      { at: NOW.toISOString(), event: 'look-up found', times: 3 },
      { at: NOW.toISOString(), event: 'sent' },
    ]);
  });

  test('says of an email that was found in the mailbox that this is how it is known to be sent', () => {
    const mail = { state: 'sent' as const, verified: true, timeline: [{ at, event: 'sent' }] };
    expect(readTimeline(mail).map(inWords)).toEqual([
      'The relay found it in the mailbox of the sender, so it was sent.',
    ]);
  });
});
