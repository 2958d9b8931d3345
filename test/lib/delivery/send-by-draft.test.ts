import { describe, expect, test } from 'vitest';
import { sendByDraft } from '../../../src/lib/delivery/send-by-draft.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { DraftRecord, InState } from '../../../src/lib/ledger/ledger-row.ts';
import {
  claim,
  recordDeferred,
  recordDraft,
  recordHeld,
  replay,
} from '../../../src/lib/ledger/transitions.ts';
import type { OutgoingFile } from '../../../src/lib/sending/outgoing-mail.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aBlobOf, aDraftPlan, aFileOf, DRAFT_MAILBOX } from '../../support/a-draft-plan.ts';
import { inMemoryPorts, NOW, type PortCall, type World } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();
const claimed = claim(rows.queued, NOW, 'draft');
const SMALL = aFileOf(Buffer.from('hello'), 'small.txt');
const LARGE = aBlobOf(9_000_000, 'large.bin');
const LATER = new Date(NOW.getTime() + 60_000);

const answered = (status: number, more: object = {}): SendReport => ({ kind: 'answered', status, ...more });
const LOST: SendReport = { kind: 'lost', why: 'connection' };

/** A retry, with what is known of the draft of the attempt before. */
const retried = (draft: DraftRecord | undefined, code = 'DRAFT_UNFINISHED'): InState<'sending'> =>
  claim(
    recordDeferred(
      recordDraft(claimed, draft, NOW),
      { at: NOW.toISOString(), outcome: 'not-sent', code },
      { reason: { code: 'DRAFT_UNFINISHED' }, until: NOW, isResend: false },
      NOW,
    ),
    NOW,
    'draft',
  );

const send = async (
  prepare: (world: World) => void = () => undefined,
  files: readonly OutgoingFile[] = [],
  row: InState<'sending'> = claimed,
  plan = aDraftPlan(mailId, files),
) => {
  const world = inMemoryPorts();
  world.blobs.set('large.bin', { content: Buffer.alloc(9_000_000, 'pay slip'), etag: '"1"' });
  const entry = world.ledger.create(row)!;
  prepare(world);
  const result = await sendByDraft(world.needs, plan, entry, LATER);
  return { ...world, result };
};

const ACCEPTED = { kind: 'accepted', status: 202, tookMs: 0 };

const outcomeOf = ({ result }: Awaited<ReturnType<typeof send>>) =>
  result.kind === 'ended' ? result.outcome : result;
const statesOf = ({ exchange }: World) => exchange.drafts.map(({ state }) => state);

describe('an email as a draft', () => {
  test('is made, written down, sent: the ledger knows the draft before it is sent', async () => {
    const sent = await send();
    expect(outcomeOf(sent)).toEqual(ACCEPTED);
    expect(sent.effects).toEqual([
      'drafts.create',
      'ledger.replace sending',
      'ledger.replace sending',
      'drafts.send',
    ]);
    expect(sent.row(mailId)?.draft).toEqual({
      id: 'draft-1',
      mailbox: DRAFT_MAILBOX,
      internetMessageId: '<draft-1@contoso.example>',
      isSubmitted: true,
    });
  });

  test('has all its files, small ones posted and large ones in ranges, before it is sent', async () => {
    const sent = await send(undefined, [SMALL, LARGE]);
    expect(outcomeOf(sent)).toEqual(ACCEPTED);
    expect(sent.exchange.drafts[0]?.files).toEqual([
      { name: 'small.txt', bytes: 5 },
      { name: 'large.bin', bytes: 9_000_000 },
    ]);
    expect(sent.effects.filter((effect) => effect !== 'ledger.replace sending')).toEqual([
      'drafts.create',
      'drafts.attach',
      'drafts.openUpload',
      ...['upload.put', 'upload.put', 'upload.put'],
      'drafts.send',
    ]);
  });

  test('from MIME gets the property by which it is found again, unless Graph refuses that', async () => {
    const mime = aDraftPlan(mailId, [], { contentType: 'text/plain', body: Buffer.from('RnJvbQ==') });
    const sent = await send(undefined, [], claimed, mime);
    expect(sent.effects).toContain('drafts.mark');
    const refused = await send(
      ({ exchange }) => exchange.fault('drafts.mark', { report: answered(400) }),
      [],
      claimed,
      mime,
    );
    expect([outcomeOf(sent), outcomeOf(refused)]).toEqual([ACCEPTED, ACCEPTED]);
  });

  test('is tried once more where Graph refused a token, at whatever request but that of a file', async () => {
    const sent = await send(
      ({ exchange }) => {
        for (const call of ['drafts.create', 'drafts.openUpload', 'drafts.send'] as const)
          exchange.fault(call, { report: answered(401) });
      },
      [SMALL, LARGE],
    );
    expect(outcomeOf(sent)).toEqual(ACCEPTED);
  });
});

describe('whatever stops a draft before its sending: it was not sent, and is removed', () => {
  test.each<[string, (world: World) => void, object]>([
    [
      'Graph has no time for a file',
      ({ exchange }) => exchange.fault('drafts.attach', { report: answered(429, { retryAfter: '60' }) }),
      { kind: 'not-sent', code: 'GRAPH_THROTTLED', waitMs: 60_000 },
    ],
    [
      'the answer to a file is lost',
      ({ exchange }) => exchange.fault('drafts.attach', { report: LOST, happens: true }),
      { kind: 'not-sent', code: 'DRAFT_UNFINISHED' },
    ],
    [
      'the mailbox takes no message of this size',
      ({ exchange }) =>
        exchange.fault('drafts.attach', {
          report: answered(400, { upstreamCode: 'ErrorMessageSizeExceeded' }),
        }),
      { kind: 'rejected', code: 'MAIL_TOO_LARGE_FOR_MAILBOX' },
    ],
    [
      'a file would go to a host that is not Microsoft’s',
      ({ exchange }) => exchange.strangeHost('files.evil.example'),
      {
        kind: 'rejected',
        code: 'UPLOAD_HOST_UNEXPECTED',
        detail: 'Graph named the host files.evil.example.',
      },
    ],
    [
      'a file that is named was deleted',
      ({ blobs }) => blobs.delete('large.bin'),
      { kind: 'rejected', code: 'ATTACHMENT_CHANGED' },
    ],
    [
      'a file that is named was replaced by another',
      ({ blobs }) => blobs.set('large.bin', { content: Buffer.alloc(9_000_000), etag: '"2"' }),
      { kind: 'rejected', code: 'ATTACHMENT_CHANGED' },
    ],
    [
      'storage cannot read a file',
      ({ fail }) => fail('attachments.read'),
      { kind: 'not-sent', code: 'STORAGE_UNAVAILABLE' },
    ],
    [
      'the time for files is over',
      ({ meanwhile, pass }) => meanwhile('drafts.create', () => pass(60_000)),
      { kind: 'not-sent', code: 'DRAFT_UNFINISHED' },
    ],
    [
      'Graph refuses to send',
      ({ exchange }) =>
        exchange.fault('drafts.send', { report: answered(403, { upstreamCode: 'ErrorAccessDenied' }) }),
      { kind: 'rejected', code: 'MAILBOX_OUT_OF_SCOPE' },
    ],
    [
      'Graph cannot be reached to send',
      ({ exchange }) => exchange.fault('drafts.send', { report: { kind: 'not-connected' } }),
      { kind: 'not-sent', code: 'GRAPH_UNREACHABLE' },
    ],
    [
      'the mailbox has sent all that it may',
      ({ exchange }) =>
        exchange.fault('drafts.send', {
          report: answered(403, { upstreamCode: 'ErrorSubmissionQuotaExceeded' }),
        }),
      { kind: 'not-sent', code: 'MAILBOX_QUOTA_REACHED' },
    ],
  ])('%s', async (_case, prepare, expected) => {
    const stopped = await send(prepare, [SMALL, LARGE]);
    expect(outcomeOf(stopped)).toMatchObject(expected);
    expect(statesOf(stopped)).toEqual(['removed']);
    expect(stopped.result).toMatchObject({ row: { progress: { way: 'draft' } } });
    expect(stopped.result).not.toHaveProperty('row.progress.draft');
  });

  test('a draft that is not allowed names the permission that is missing', async () => {
    const refused = await send(({ exchange }) =>
      exchange.fault('drafts.create', { report: answered(403, { upstreamCode: 'ErrorAccessDenied' }) }),
    );
    expect(outcomeOf(refused)).toMatchObject({ kind: 'rejected', code: 'DRAFTS_NOT_ALLOWED' });
    expect(refused.effects).toEqual(['drafts.create']);
  });

  test('a draft that cannot be removed is told, and stays in the ledger for who can', async () => {
    const left = await send(
      ({ exchange }) => {
        exchange.fault('drafts.attach', { report: LOST });
        exchange.fault('drafts.remove', { report: LOST });
      },
      [SMALL],
    );
    expect(left.logged).toEqual([{ event: 'DraftLeft', mailId }]);
    expect(left.result).toMatchObject({
      row: { progress: { draft: { id: 'draft-1', isSubmitted: false } } },
    });
  });
});

describe('a draft whose sending began', () => {
  test.each<[string, SendReport, boolean]>([
    ['is lost after it was sent', LOST, true],
    ['is lost before it was sent', LOST, false],
    ['is a gateway’s error', answered(504), false],
    ['is that Graph is busy', answered(503), false],
    ['is that the mailbox is throttled', answered(429), false],
    ['is one that nobody expects', answered(200), false],
    ['is that it was changed meanwhile', answered(409), false],
    ['says that there is no such draft', answered(404), false],
  ])('is unknown where the answer %s, and nothing is removed', async (_case, report, happens) => {
    const ended = await send(({ exchange }) => exchange.fault('drafts.send', { report, happens }));
    expect(outcomeOf(ended)).toMatchObject({ kind: 'unknown' });
    expect(statesOf(ended)).toEqual([happens ? 'sent' : 'draft']);
    expect(ended.result).toMatchObject({ row: { progress: { draft: { isSubmitted: true } } } });
  });

  test.each([429, 500, 503, 504])(
    'is sent where Graph says %i and the draft says that it was',
    async (status) => {
      const ended = await send(({ exchange }) =>
        exchange.fault('drafts.send', { report: answered(status), happens: true }),
      );
      expect(outcomeOf(ended)).toEqual({ kind: 'accepted' });
      expect(statesOf(ended)).toEqual(['sent']);
    },
  );

  test.each([429, 503])(
    'is unknown where Graph says %i and transport has not taken it yet: it is not removed',
    async (status) => {
      const ended = await send(({ exchange }) => {
        exchange.fault('drafts.send', { report: answered(status), happens: true });
        exchange.show({ kind: 'draft' });
      });
      expect(outcomeOf(ended)).toMatchObject({ kind: 'unknown' });
      expect(ended.effects).not.toContain('drafts.remove');
      expect(statesOf(ended)).toEqual(['sent']);
    },
  );

  const REFUSED = answered(400, { upstreamCode: 'ErrorInvalidRecipients' });

  test('and is refused is looked for on its way before it is removed, and once more after', async () => {
    const ended = await send(({ exchange }) => exchange.fault('drafts.send', { report: REFUSED }));
    expect(outcomeOf(ended)).toMatchObject({ kind: 'rejected', code: 'RECIPIENT_REFUSED' });
    expect(ended.effects.slice(-5)).toEqual([
      'drafts.send',
      'mailboxes.find',
      'drafts.remove',
      'drafts.look',
      // Whoever finds the row of an attempt that died here must not look for a draft that is gone.
      'ledger.replace sending',
    ]);
    expect(ended.row(mailId)).not.toHaveProperty('draft');
  });

  test.each<[string, (world: World) => void, string]>([
    ['and is on its way all the same, is sent', ({ show }) => show({ kind: 'found' }), 'accepted'],
    ['while nobody can look, is unknown', ({ show }) => show({ kind: 'not-now' }), 'unknown'],
    [
      'and cannot be removed, is unknown',
      ({ exchange }) => exchange.fault('drafts.remove', { report: LOST }),
      'unknown',
    ],
    ['where nobody may look, is refused', ({ show }) => show({ kind: 'cannot-tell' }), 'rejected'],
  ])('and is refused %s, and stays as it is', async (_case, prepare, kind) => {
    const ended = await send((world) => {
      world.exchange.fault('drafts.send', { report: REFUSED });
      prepare(world);
    });
    expect(outcomeOf(ended).kind).toBe(kind);
    expect(statesOf(ended)).toEqual(['draft']);
    expect(ended.result).toMatchObject({ row: { progress: { draft: { isSubmitted: true } } } });
  });

  test('and is removed is forgotten, also where storage cannot write that down', async () => {
    const ended = await send(({ exchange, meanwhile, fail }) => {
      exchange.fault('drafts.send', { report: REFUSED });
      meanwhile('drafts.remove', () => fail('ledger.replace'));
    });
    expect(outcomeOf(ended)).toMatchObject({ kind: 'rejected' });
    expect(ended.result).not.toHaveProperty('row.progress.draft');
  });

  test('that Graph was never asked to send and cannot be removed was not sent, and the row says so', async () => {
    const ended = await send(({ exchange }) => {
      exchange.fault('drafts.send', { report: { kind: 'not-connected' } });
      exchange.fault('drafts.remove', { report: LOST });
    });
    expect(outcomeOf(ended)).toMatchObject({ kind: 'not-sent', code: 'GRAPH_UNREACHABLE' });
    expect(ended.logged).toEqual([{ event: 'DraftLeft', mailId }]);
    expect(ended.result).toMatchObject({ row: { progress: { draft: { isSubmitted: false } } } });
  });
});

describe('an attempt after one that left a draft', () => {
  const left = (isSubmitted: boolean): DraftRecord => ({ id: 'old', mailbox: DRAFT_MAILBOX, isSubmitted });

  test('removes it, and sends another', async () => {
    const ended = await send(({ exchange }) => exchange.put({ id: 'old' }), [], retried(left(false)));
    expect(outcomeOf(ended)).toEqual(ACCEPTED);
    expect(statesOf(ended)).toEqual(['removed', 'sent']);
  });

  test('removes one whose answer was lost, which only its property shows', async () => {
    const ended = await send(({ exchange }) => exchange.put({ id: 'old', mailId }), [], retried(undefined));
    expect(statesOf(ended)).toEqual(['removed', 'sent']);
  });

  test('is sent already, where that draft was sent after all: nothing is removed, and nothing sent', async () => {
    const ended = await send(
      ({ exchange }) => exchange.put({ id: 'old', state: 'sent' }),
      [],
      retried(left(true)),
    );
    expect(outcomeOf(ended)).toEqual({ kind: 'accepted' });
    expect(ended.effects).toEqual(['drafts.look']);
  });

  test('writes down that one whose sending had begun is removed, before it makes another', async () => {
    const ended = await send(({ exchange }) => exchange.put({ id: 'old' }), [], retried(left(true)));
    expect(statesOf(ended)).toEqual(['removed', 'sent']);
    expect(ended.effects.slice(0, 6)).toEqual([
      'drafts.look',
      'mailboxes.find',
      'drafts.remove',
      'drafts.look',
      'ledger.replace sending',
      'drafts.create',
    ]);
  });

  test.each<[string, (world: World) => void]>([
    ['nobody can look at it', ({ exchange }) => exchange.show({ kind: 'not-now' })],
    ['nobody may look at it', ({ exchange }) => exchange.show({ kind: 'cannot-tell' })],
    ['it cannot be removed', ({ exchange }) => exchange.fault('drafts.remove', { report: LOST })],
    [
      'it is gone when it is removed',
      ({ exchange }) => exchange.fault('drafts.remove', { report: answered(404) }),
    ],
  ])('makes no other while its sending had begun and %s', async (_case, prepare) => {
    const ended = await send(
      (world) => {
        world.exchange.put({ id: 'old' });
        prepare(world);
      },
      [],
      retried(left(true)),
    );
    expect(outcomeOf(ended)).toEqual({ kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
    expect(ended.effects).not.toContain('drafts.create');
    expect(ended.result).toMatchObject({ row: { progress: { draft: { id: 'old', isSubmitted: true } } } });
  });

  const gone = (world: World) => world.exchange.put({ id: 'old', state: 'removed' });

  test('makes no other where that draft is gone: its absence proves nothing', async () => {
    const ended = await send(gone, [], retried(left(true)));
    expect(outcomeOf(ended)).toEqual({ kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
    expect(ended.effects).toEqual(['drafts.look', 'mailboxes.find']);
    expect(ended.result).toMatchObject({ row: { progress: { draft: { id: 'old', isSubmitted: true } } } });
  });

  test('is sent already where a copy is found of a draft that is gone', async () => {
    const ended = await send(
      (world) => {
        gone(world);
        world.show({ kind: 'found' });
      },
      [],
      retried(left(true)),
    );
    expect(outcomeOf(ended)).toEqual({ kind: 'accepted' });
    expect(ended.effects).not.toContain('drafts.create');
  });

  /** An operator replays an email that is held in doubt. */
  const replayed = (doubtAgoMs: number): InState<'sending'> => {
    const at = new Date(NOW.getTime() - doubtAgoMs);
    const doubt = { at: at.toISOString(), outcome: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
    const holding = {
      why: 'doubt',
      reason: { code: 'OUTCOME_UNKNOWN' },
      record: 'r',
      hasContent: true,
    } as const;
    const held = recordHeld(recordDraft(claimed, left(true), at), holding, at, doubt);
    return claim(replay(held, '', NOW), NOW, 'draft');
  };
  const HOUR_MS = 3_600_000;

  test.each<[string, (world: World) => void, number, string, readonly string[]]>([
    [
      'is sent already where the draft was sent',
      ({ exchange }) => exchange.put({ id: 'old', state: 'sent' }),
      HOUR_MS,
      'accepted',
      ['sent'],
    ],
    [
      'sends another where the draft is gone and no copy is there',
      gone,
      HOUR_MS,
      'accepted',
      ['removed', 'sent'],
    ],
    [
      'sends another where it was not sent in all that time',
      ({ exchange }) => exchange.put({ id: 'old' }),
      HOUR_MS,
      'accepted',
      ['removed', 'sent'],
    ],
    [
      'looks for it again and again where transport may still take it',
      ({ exchange }) => exchange.put({ id: 'old' }),
      60_000,
      'unknown',
      ['draft'],
    ],
  ])('that an operator replays %s', async (_case, prepare, doubtAgoMs, kind, states) => {
    const ended = await send(prepare, [], replayed(doubtAgoMs));
    expect([outcomeOf(ended).kind, statesOf(ended)]).toEqual([kind, states]);
  });
});

describe('another invocation that takes the row', () => {
  test.each<[string, number]>([
    ['before the draft is written down', 1],
    ['before its sending is written down', 2],
  ])('%s: nothing is sent, and the draft is removed', async (_case, nth) => {
    const ended = await send((world) => {
      const steal = () => {
        const entry = world.ledger.find(mailId)!;
        world.ledger.replace(entry.row, entry.etag);
      };
      world.meanwhile('ledger.replace', nth === 1 ? steal : () => world.meanwhile('ledger.replace', steal));
    });
    expect(ended.result).toEqual({ kind: 'beaten' });
    expect(ended.effects).not.toContain('drafts.send');
    expect(statesOf(ended)).toEqual(['removed']);
  });
});

describe('storage that fails', () => {
  test('before the draft is written down: it is removed, and the email was not sent', async () => {
    const ended = await send(({ fail }) => fail('ledger.replace'));
    expect(outcomeOf(ended)).toEqual({ kind: 'not-sent', code: 'STORAGE_UNAVAILABLE' });
    expect(statesOf(ended)).toEqual(['removed']);
  });

  test('with the answer that the sending is written down: the draft stays, as a row that says so must find it', async () => {
    const ended = await send(({ meanwhile, loseAnswer }) =>
      meanwhile('ledger.replace', () => meanwhile('ledger.replace', () => loseAnswer('ledger.replace'))),
    );
    expect(outcomeOf(ended)).toEqual({ kind: 'not-sent', code: 'STORAGE_UNAVAILABLE' });
    expect(statesOf(ended)).toEqual(['draft']);
    expect(ended.result).toMatchObject({ row: { progress: { draft: { isSubmitted: true } } } });
    // With the version that was written, so that the end of the attempt can be.
    expect(ended.result).toMatchObject({ etag: ended.ledger.find(mailId)?.etag });
  });
});

/** Every way in which a request can go wrong without anybody refusing it. */
const TROUBLES = [
  { report: LOST, happens: true },
  { report: LOST, happens: false },
  { report: answered(504), happens: true },
  { report: answered(503), happens: false },
] as const;

describe('whichever request goes wrong, in whichever way', () => {
  const CALLS = [
    'drafts.create',
    'drafts.attach',
    'drafts.openUpload',
    'upload.put',
    'upload.ask',
    'drafts.send',
  ];
  const cases = CALLS.flatMap((call) =>
    (call === 'upload.put' ? [0, 1, 2] : [0]).flatMap((nth) =>
      TROUBLES.map((fault) => [call as Exclude<PortCall, `ledger.${string}`>, nth, fault] as const),
    ),
  );

  test.each(cases)(
    '%s, number %i, as %o: never a part of the email, and never two',
    async (call, nth, fault) => {
      const ended = await send(
        ({ exchange }) => exchange.fault(call, ...Array.from({ length: nth }, () => undefined), fault),
        [SMALL, LARGE],
      );
      const sent = ended.exchange.drafts.filter(({ state }) => state === 'sent');
      expect(sent.length).toBeLessThanOrEqual(1);
      for (const { files } of sent)
        expect(files).toEqual([
          { name: 'small.txt', bytes: 5 },
          { name: 'large.bin', bytes: 9_000_000 },
        ]);
      const { kind } = outcomeOf(ended);
      if (kind === 'accepted') expect(sent).toHaveLength(1);
      if (kind === 'not-sent' || kind === 'rejected') expect(sent).toHaveLength(0);
    },
  );
});

test('an error that nobody foresaw is no outcome', async () => {
  await expect(
    send(({ fail }) => fail('drafts.attach', new AppError('UNEXPECTED')), [SMALL]),
  ).rejects.toMatchObject({ code: 'UNEXPECTED' });
});
