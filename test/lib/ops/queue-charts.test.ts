import { expect, test } from 'vitest';
import type { RelaySample } from '../../../src/lib/metrics/relay-sample.ts';
import { html } from '../../../src/lib/ops/html.ts';
import { queueCharts } from '../../../src/lib/ops/queue-charts.ts';
import type { View } from '../../../src/lib/ops/view.ts';
import { OPS_WORDS } from '../../../src/lib/ops/words.ts';

const view = { language: 'en', words: OPS_WORDS.en, now: new Date('2026-03-02T08:00:00Z') } as View;
const sample = (at: string, messages: number) =>
  ({ at, queues: [{ queue: 'mail', messages }] }) as unknown as RelaySample;
const ONE = [sample('2026-03-02T07:56:00Z', 1)];

const shown = (queues: Parameters<typeof queueCharts>[2]): string =>
  html`${queueCharts(view, ONE, queues)}`.text;

test('what a chart calls now is what the page has now, and not the newest sample', () => {
  const text = shown({ kind: 'seen', value: [{ name: 'mail', messages: 475, oldestMs: 30_000 }] });
  expect(text).toContain(
    '<figcaption>Messages on the queues: 475 now, at most 475 in the last day.</figcaption>',
  );
  expect(text).toContain('30 s now, at most 30 s');
});

test('where the queues cannot be read, a chart says nothing of now, and its one sample is a dot', () => {
  const text = shown({ kind: 'failed', reason: { code: 'STORAGE_UNAVAILABLE' } });
  expect(text).toContain('Messages on the queues: at most 1 in the last day.');
  expect(text).toMatch(/class="end" d="M315\.1,4h0"/);
});
