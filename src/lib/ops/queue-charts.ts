import type { Overview } from '../desk/ops-overview.ts';
import type { RelaySample } from '../metrics/relay-sample.ts';
import { queueAgeSeconds } from '../metrics/relay-sample.ts';
import { chart, type Point } from './chart.ts';
import { type Html, html, type Part } from './html.ts';
import type { View } from './view.ts';

const DAY_MS = 86_400_000;

/**
 * Depth and age of the queues over the last day: all of them together, as the samples have each, and at the end as the rest of the
 * page has it now.
 */
export const queueCharts = (
  view: View,
  samples: readonly RelaySample[],
  queues: Overview['queues'],
): Part => {
  const { overview } = view.words;
  if (samples.length === 0) return html`<p class="soft">${overview.noSamples}</p>`;
  const [depthNow, ageNow] =
    queues.kind === 'seen'
      ? [
          queues.value.reduce((sum, { messages = 0 }) => sum + messages, 0),
          Math.max(0, ...queues.value.map(({ oldestMs = 0 }) => oldestMs)),
        ]
      : [];
  const depth = samples.map(({ at, queues: sampled }) => ({
    at: new Date(at),
    value: sampled.reduce((sum, { messages = 0 }) => sum + messages, 0),
  }));
  const age = samples.map(({ at, queues: sampled }) => ({
    at: new Date(at),
    value: Math.max(0, ...sampled.map((queue) => queueAgeSeconds(queue, new Date(at)) * 1000)),
  }));
  return html`<div class="charts">${figure(view, overview.depth, depth, depthNow, (value) => value.toLocaleString(view.language))}${figure(view, overview.oldest, age, ageNow, view.words.span)}</div>`;
};

const figure = (
  view: View,
  name: string,
  sampled: readonly Point[],
  now: number | undefined,
  show: (value: number) => string,
): Html => {
  const { overview } = view.words;
  const points = now === undefined ? sampled : [...sampled, { at: view.now, value: now }];
  const most = show(Math.max(...points.map(({ value }) => value)));
  const label = overview.chartSummary(name, now === undefined ? undefined : show(now), most);
  const from = new Date(view.now.getTime() - DAY_MS);
  return html`<figure class="card"><figcaption>${label}</figcaption>${chart(points, { from, to: view.now, label })}<p class="span"><span>${overview.chartStart}</span><span>${overview.chartEnd}</span></p></figure>`;
};
