import { type Html, html } from './html.ts';

export type Point = { readonly at: Date; readonly value: number };

const WIDTH = 320;
const HEIGHT = 72;
const PAD = 4;

/**
 * A small chart of a value over a time, from zero up. Its texts are beside it, so it is one picture with one name for a screen reader.
 * The last value has a dot, so that one alone is seen too. Only attributes, no styles: the policy of the page allows none.
 */
export const chart = (
  points: readonly Point[],
  { from, to, label }: { readonly from: Date; readonly to: Date; readonly label: string },
): Html => {
  const most = Math.max(1, ...points.map(({ value }) => value));
  const length = Math.max(1, to.getTime() - from.getTime());
  const place = ({ at, value }: Point): readonly [x: number, y: number] => [
    round(PAD + ((at.getTime() - from.getTime()) / length) * (WIDTH - 2 * PAD)),
    round(HEIGHT - PAD - (value / most) * (HEIGHT - 2 * PAD)),
  ];
  const places = points.map(place);
  const line = places.map((one) => one.join(',')).join(' ');
  const [first, last] = [places[0], places.at(-1)];
  const bottom = HEIGHT - PAD;
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}" preserveAspectRatio="none">
<line class="axis" x1="0" y1="${bottom}" x2="${WIDTH}" y2="${bottom}"/>
${
  first !== undefined &&
  last !== undefined &&
  html`<polygon class="area" points="${first[0]},${bottom} ${line} ${last[0]},${bottom}"/><polyline class="line" points="${line}"/><path class="end" d="M${last[0]},${last[1]}h0"/>`
}
</svg>`;
};

const round = (value: number): number => Math.round(value * 10) / 10;
