import { expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { SUITE_RUN } from './plan.ts';
import { runChaos } from './run-chaos.ts';
import { toSummary } from './summary.ts';

const { mails, instances } = SUITE_RUN;
/** The same plan every time, so that a change is what makes a difference; others by `npm run chaos`. */
const seed = Number(process.env.CHAOS_SEED ?? SUITE_RUN.seed);

test(`every mail is accounted for whatever fails and dies: ${mails} mails, seed ${seed}`, {
  timeout: TOOLS_MS,
}, async () => {
  const report = await runChaos({ mails, seed, instances });
  const repeat = `Repeat it: CHAOS_SEED=${seed} npx vitest run test/chaos, or npm run chaos -- --mails ${mails} --seed ${seed}`;
  expect(report.broken, `${toSummary(report)}\n\n${repeat}\n\n${report.broken.join('\n\n')}`).toEqual([]);
});
