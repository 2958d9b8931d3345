import { describe, expect, test } from 'vitest';
import type { RotationState, Rotations } from '../../src/lib/ports.ts';

const STATE: RotationState = {
  clientId: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  attempt: { displayName: 'Graph Mail Relay 1', startedAt: '2026-03-02T08:00:00.000Z' },
  abandoned: [],
  made: [],
  reported: [],
};
const NEXT: RotationState = {
  clientId: STATE.clientId,
  abandoned: [{ displayName: 'Graph Mail Relay 0', startedAt: '2026-03-01T08:00:00.000Z', keyId: 'k0' }],
  made: [
    {
      keyId: 'k1',
      displayName: 'Graph Mail Relay 1',
      version: 'v2',
      storedAt: '2026-03-02T08:00:20.000Z',
    },
  ],
  reported: ['of an administrator'],
};

/** What every store of rotation does, whatever it is made of. States of other tests may be in it. */
export const rotationsContract = (name: string, open: () => Rotations): void => {
  describe(`${name} keeps states of rotation`, () => {
    test('what nobody has written is nothing, and has no version', async () => {
      expect(await open().read('nothing')).toEqual({});
    });

    test('what was written is read as it was, by connection', async () => {
      const rotations = open();
      const etag = await rotations.write('main', STATE, undefined);
      expect(etag).toBeTruthy();
      expect(await rotations.read('main')).toEqual({ state: STATE, etag });
      expect(await rotations.read('fabrikam')).toEqual({});
      const next = await rotations.write('main', NEXT, etag);
      expect(await rotations.read('main')).toEqual({ state: NEXT, etag: next });
    });

    test('of two that write at one version, the second writes nothing', async () => {
      const rotations = open();
      const etag = await rotations.write('two', STATE, undefined);
      expect(await rotations.write('two', NEXT, undefined)).toBeUndefined();
      const next = await rotations.write('two', NEXT, etag);
      expect(await rotations.write('two', STATE, etag)).toBeUndefined();
      expect(await rotations.read('two')).toEqual({ state: NEXT, etag: next });
    });
  });
};
