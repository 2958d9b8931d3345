import { expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import type { SecretSource } from '../../../src/lib/vault/secret-source.ts';
import { openSigningKeys } from '../../../src/lib/vault/signing-keys.ts';
import { EARLIER_SIGNING_SECRET, SIGNING_SECRET } from '../../support/an-event.ts';
import { aSecret } from '../../support/fake-vault.ts';
import { NOW } from '../../support/in-memory-ports.ts';

/** A vault with these values, newest first, of which it gives what a reader of two well formed ones gets. */
const aVault = (values: readonly string[]) => {
  let now = NOW;
  let held = values;
  let reads = 0;
  let failure: AppError | undefined;
  const vault: Pick<SecretSource, 'readValidVersions'> = {
    readValidVersions: async (_name, { isWellFormed = async () => true } = {}) => {
      reads += 1;
      if (failure !== undefined) throw failure;
      const read = [];
      let left = 2;
      for (const value of held) {
        if (left === 0) break;
        const version = { value, facts: aSecret() };
        read.push(version);
        if (await isWellFormed(version)) left -= 1;
      }
      return read;
    },
  };
  return {
    keys: openSigningKeys(
      () => vault,
      () => now,
    ),
    reads: () => reads,
    hold: (next: readonly string[]) => {
      held = next;
    },
    fail: (code?: ConstructorParameters<typeof AppError>[0]) => {
      failure = code && new AppError(code);
    },
    pass: (minutes: number) => {
      now = new Date(now.getTime() + minutes * 60_000);
    },
  };
};

test('signs with the newest two versions, so that a secret is rotated without a gap', async () => {
  const { keys } = aVault([SIGNING_SECRET, EARLIER_SIGNING_SECRET, SIGNING_SECRET]);
  expect(await keys.read('webhook-secret-crm')).toEqual([Buffer.alloc(32, 5), Buffer.alloc(24, 9)]);
});

test('passes over what was pasted by mistake', async () => {
  const { keys } = aVault(['not a secret', SIGNING_SECRET]);
  expect(await keys.read('webhook-secret-crm')).toEqual([Buffer.alloc(32, 5)]);
});

test('reads the vault once in five minutes, then sees a rotation', async () => {
  const { keys, hold, pass, reads } = aVault([EARLIER_SIGNING_SECRET]);
  await Promise.all([keys.read('one'), keys.read('one')]);
  hold([SIGNING_SECRET, EARLIER_SIGNING_SECRET]);
  pass(4);
  expect([await keys.read('one'), reads()]).toEqual([[Buffer.alloc(24, 9)], 1]);
  pass(2);
  expect([await keys.read('one'), reads()]).toEqual([[Buffer.alloc(32, 5), Buffer.alloc(24, 9)], 2]);
});

test('asks a vault that fails again half a minute later, and not for each event', async () => {
  const { keys, fail, pass, reads } = aVault([SIGNING_SECRET]);
  fail('VAULT_UNREACHABLE');
  await expect(keys.read('one')).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  await expect(keys.read('one')).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  expect(reads()).toBe(1);
  fail();
  pass(1);
  expect(await keys.read('one')).toHaveLength(1);
});

test.each([
  ['no version is a signing secret', ['canary', ''], undefined],
  ['no version is valid', [], undefined],
  ['there is no secret of this name', [SIGNING_SECRET], 'SECRET_NOT_FOUND' as const],
])('says WEBHOOK_SECRET_INVALID where %s', async (_what, values, code) => {
  const { keys, fail } = aVault(values);
  fail(code);
  await expect(keys.read('one')).rejects.toMatchObject({ code: 'WEBHOOK_SECRET_INVALID' });
});
