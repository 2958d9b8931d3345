import { expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { runChaos } from './run-chaos.ts';
import { toSummary } from './summary.ts';

const MAILS = 300;

/** The same plan every time, so that a change is what makes a difference; others by `npm run chaos`. */
const seed = Number(process.env.CHAOS_SEED ?? 11);

test(`every mail is accounted for whatever fails and dies: ${MAILS} mails, seed ${seed}`, {
  timeout: TOOLS_MS,
}, async () => {
  const report = await runChaos({ mails: MAILS, seed });
  const repeat = `Repeat it: CHAOS_SEED=${seed} npx vitest run test/chaos, or npm run chaos -- --mails ${MAILS} --seed ${seed}`;
  expect(report.broken, `${toSummary(report)}\n\n${repeat}\n\n${report.broken.join('\n\n')}`).toEqual([]);
});
