import { describe, expect, test } from 'vitest';
import { explore } from '../../support/explore.ts';
import { makePacingWorld } from './pacing-world.ts';
import { PACING_WORLDS } from './pacing-worlds.ts';

const seen = new Set<string>();

describe('whatever goes wrong, no more starts than its limit are used in any minute of a mailbox, and every email goes', () => {
  test.each(PACING_WORLDS)('$name', { timeout: 600_000 }, async (world) => {
    const found = await explore(() => makePacingWorld({ ...world, troubles: world.inSuite }, seen));
    expect(found.ends).toBeGreaterThan(0);
  });

  test('all the troubles have come up', () => {
    expect([...seen]).toEqual(
      expect.arrayContaining([
        ...['lanes.write lost', 'lanes.write dropped', 'lanes.write refused', 'lanes.read refused'],
        ...['claim refused', 'claim lost', 'send refused', 'slow'],
        // An instance ends before or after what it has just asked for: between the lane and the claim, and between the claim and Graph.
        ...['kill at lanes.write', 'kill after lanes.write', 'kill at claim', 'kill after claim'],
        ...['kill at send', 'kill after send'],
      ]),
    );
  });
});
