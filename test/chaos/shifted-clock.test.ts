import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ClockMessage } from './shifted-clock.ts';

const HERE = import.meta.dirname;
const SLACK_MS = 30_000;

test('the clock of a process is wrong from its start, jumps while it runs, and leaves given times alone', async () => {
  const child = fork(join(HERE, 'tell-time.ts'), {
    execArgv: [`--import=${join(HERE, 'shifted-clock.ts')}`],
    env: { CHAOS_CLOCK_ERROR_MS: '3600000' },
  });
  const told = async () => {
    const [times] = (await once(child, 'message')) as [Readonly<Record<'now' | 'made' | 'given', number>>];
    return times;
  };
  const asked = Date.now();
  const first = await told();
  expect(Math.abs(first.now - asked - 3_600_000)).toBeLessThan(SLACK_MS);
  expect(Math.abs(first.made - first.now)).toBeLessThan(SLACK_MS);
  expect(first.given).toBe(5);
  child.send({ clockErrorMs: -3_600_000 } satisfies ClockMessage);
  const second = await told();
  expect(Math.abs(second.now - asked + 3_600_000)).toBeLessThan(SLACK_MS);
  child.kill();
});
