import { describe, expect, test } from 'vitest';
import { CLOUD_NAMES, CLOUDS } from '../src/lib/connections/cloud.ts';
import { callEverything, hostsOf, openRelayIn, startBehindProxy } from './support/relay-behind-a-proxy.ts';

describe.each(CLOUD_NAMES)('with GRAPH_CLOUD=%s the relay', (cloud) => {
  test('calls the hosts of this cloud, and asks for tokens of this cloud', async () => {
    const world = await startBehindProxy(cloud);
    try {
      const called = await callEverything(openRelayIn(world.environment));
      expect(called).toMatchObject({
        small: { status: 200, body: { state: 'sent' } },
        large: { status: 200, body: { state: 'sent' } },
        later: { status: 202 },
        refused: 'TOKEN_NOT_ACCEPTED',
      });
      expect(world.proxy.hosts()).toEqual(Object.values(hostsOf(cloud)).sort());
      const { seen } = world.microsoft;
      expect(new Set(seen.flatMap(({ scope }) => scope ?? []))).toEqual(
        new Set([`${CLOUDS[cloud].graphEndpoint}/.default`]),
      );
    } finally {
      await world.close();
    }
  });
});
