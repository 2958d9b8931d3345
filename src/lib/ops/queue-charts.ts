import type { RelaySample } from '../metrics/relay-sample.ts';
import { queueAgeSeconds } from '../metrics/relay-sample.ts';
import { chart, type Point } from './chart.ts';
import { type Html, html, type Part } from './html.ts';
import type { View } from './view.ts';

const DAY_MS = 86_400_000;

/** Depth and age of the queues over the last day: all of them together, as the sample has each. */
export const queueCharts = (view: View, samples: readonly RelaySample[]): Part => {
  const { overview } = view.words;
  if (samples.length === 0) return html`<p class="soft">${overview.noSamples}</p>`;
  const depth = samples.map(({ at, queues }) => ({
    at: new Date(at),
    value: queues.reduce((sum, { messages = 0 }) => sum + messages, 0),
  }));
  const age = samples.map(({ at, queues }) => ({
    at: new Date(at),
    value: Math.max(0, ...queues.map((queue) => queueAgeSeconds(queue, new Date(at)) * 1000)),
  }));
  return html`<div class="charts">${figure(view, overview.depth, depth, (value) => value.toLocaleString(view.language))}${figure(view, overview.oldest, age, view.words.span)}</div>`;
};

const figure = (
  view: View,
  name: string,
  points: readonly Point[],
  show: (value: number) => string,
): Html => {
  const most = show(Math.max(...points.map(({ value }) => value)));
  const now = show(points.at(-1)?.value ?? 0);
  const label = view.words.overview.chartSummary(name, now, most);
  const from = new Date(view.now.getTime() - DAY_MS);
  return html`<figure class="card"><figcaption>${label}</figcaption>${chart(points, { from, to: view.now, label })}</figure>`;
};
