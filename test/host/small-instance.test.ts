import { afterAll, expect, test } from 'vitest';
import { newMarker, startRelay } from './relay-for-tests.ts';

/** An instance of 512 MB, of which the app cannot have all: what a heap needs beyond this ends the process. */
const NODE_OPTIONS = '--max-old-space-size=256';
const EMAILS = 10;
const BASE64_BYTES = 3_000_000;

const relay = await startRelay({ settings: { NODE_OPTIONS } });
afterAll(() => relay.close());

test('ten emails of 3 MB together, in an instance of 512 MB, are accepted or refused with the time to send them again', async () => {
  const content = 'JVBERi0x'.repeat(BASE64_BYTES / 8);
  const marker = newMarker();
  // Graph holds its responses until all of them are there, so that no email is gone before the last has come.
  relay.cloud.graph.faults.add({ on: 'sendMail', times: EMAILS, fault: { kind: 'delay', ms: 2000 } });
  const answers = await Promise.all(
    Array.from({ length: EMAILS }, (_, number) =>
      relay.send({
        from: `lane${number}@contoso.example`,
        to: 'chan@contoso.example',
        subject: `${marker} 月結單`,
        text: 'statement',
        attachments: [{ filename: 'statement.pdf', content }],
      }),
    ),
  );
  const refused = answers.filter(({ status }) => status === 503);
  for (const { headers } of refused) expect(headers.get('retry-after')).toMatch(/^\d+$/);
  const accepted = answers.filter(({ status }) => status === 200 || status === 202);
  expect(accepted.length + refused.length).toBe(EMAILS);
  expect(accepted).not.toEqual([]);
  await relay.arrives(marker, accepted.length);
});

test('the process that received them is the one that still answers', async () => {
  expect((await relay.call('GET', '/api/health')).status).toBe(200);
});
