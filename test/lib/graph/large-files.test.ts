import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { FaultRuleInput } from '../../../local/graph/fault-rules.ts';
import { sendByDraft } from '../../../src/lib/delivery/send-by-draft.ts';
import { claim } from '../../../src/lib/ledger/transitions.ts';
import { graphForTests } from '../../local/graph/graph-for-tests.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aBlobOf, aDraftPlan, aFileOf } from '../../support/a-draft-plan.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { draftsOn } from './send-through-graph.ts';

type CallFault = Exclude<FaultRuleInput, { on: 'connect' }>;

const BYTES = 9_000_001;
/** No two ranges of it are the same. */
const CONTENT = Buffer.from(
  Uint32Array.from({ length: BYTES / 4 + 1 }, (_, index) => index * 2_654_435_761).buffer,
).subarray(0, BYTES);
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The use case with the real requests, and the stand-in that answers them. */
const sendLarge = async (faults: readonly CallFault[] = []) => {
  const graph = await graphForTests();
  for (const fault of faults) graph.faults.add(fault);
  const { mailId, rows } = aDelivery();
  const world = inMemoryPorts();
  world.blobs.set('large.bin', { content: CONTENT, etag: '"1"' });
  const drafts = draftsOn(graph);
  const files = [aFileOf(Buffer.from('hello'), 'small.txt'), aBlobOf(BYTES, 'large.bin')];
  const entry = world.ledger.create(claim(rows.queued, NOW, 'draft'))!;
  const until = new Date(NOW.getTime() + 60_000);
  const result = await sendByDraft({ ...world.needs, drafts }, aDraftPlan(mailId, files), entry, until);
  return { graph, outcome: result.kind === 'ended' ? result.outcome : result };
};

test.each<[string, readonly CallFault[]]>([
  ['when all goes well', []],
  [
    'when the draft is not known at once',
    [{ on: 'createUploadSession', times: 2, fault: { kind: 'notFound' } }],
  ],
  [
    'when the connection breaks after a range was taken',
    [{ on: 'uploadRange', after: 1, fault: { kind: 'reset', when: 'after' } }],
  ],
  [
    'when the connection breaks before a range was taken',
    [{ on: 'uploadRange', after: 1, fault: { kind: 'reset', when: 'before' } }],
  ],
  [
    'when Graph is busy for a moment',
    [{ on: 'uploadRange', times: 2, fault: { kind: 'answer', status: 503 } }],
  ],
  ['when the session ends', [{ on: 'uploadRange', after: 1, fault: { kind: 'answer', status: 404 } }]],
])('a large file arrives byte for byte, once, %s', async (_case, faults) => {
  const { graph, outcome } = await sendLarge(faults);
  expect(outcome).toMatchObject({ kind: 'accepted' });
  const [mail, ...more] = graph.captured;
  expect(more).toEqual([]);
  const attachments = mail?.request.body.message.attachments ?? [];
  expect(attachments.map(({ name }) => name)).toEqual(['small.txt', 'large.bin']);
  const file = attachments[1]?.contentFile ?? '';
  expect(hashOf(await readFile(file))).toBe(hashOf(CONTENT));
});

test('an email whose file could not be uploaded is not sent, and leaves no draft', async () => {
  const { graph, outcome } = await sendLarge([
    { on: 'uploadRange', times: 99, fault: { kind: 'answer', status: 500 } },
  ]);
  expect(outcome).toMatchObject({ kind: 'not-sent', code: 'DRAFT_UNFINISHED' });
  expect(graph.captured).toEqual([]);
  expect(graph.requests.list().some(({ method }) => method === 'DELETE')).toBe(true);
});
