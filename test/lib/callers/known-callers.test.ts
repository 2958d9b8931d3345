import { describe, expect, test } from 'vitest';
import { UNLIMITED } from '../../../src/lib/callers/caller.ts';
import { makeKey } from '../../../src/lib/callers/caller-key.ts';
import { makeKnownCallers, RELAY } from '../../../src/lib/callers/known-callers.ts';
import { aDeclaredCaller } from '../../support/a-caller.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const NO_CALLERS = makeKnownCallers([]);
const { record: key } = makeKey(NOW);
const payroll = aDeclaredCaller('payroll', {
  keys: [key],
  apps: ['7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55'],
  functionKeys: ['key:0123456789'],
});
const known = makeKnownCallers([payroll, aDeclaredCaller('helpdesk', { rules: { isDisabled: true } })]);

describe('a relay without declared callers', () => {
  test.each(['queue', 'key:0123456789', RELAY])('lets %s do everything', (name) => {
    expect(NO_CALLERS.named(name)).toMatchObject({ name, rules: UNLIMITED });
  });

  test('knows nobody else, whatever a message says', () => {
    for (const name of ['payroll', '', 'Queue', 'function-keys', '__proto__'])
      expect(NO_CALLERS.named(name)).toBeUndefined();
  });

  test('takes each function key for a caller of its own', () => {
    expect(NO_CALLERS.withFunctionKey('key:a').name).toBe('key:a');
    expect(NO_CALLERS.withFunctionKey('key:b').name).toBe('key:b');
  });
});

describe('a declared caller', () => {
  test('is the same whichever way it proves who it is', () => {
    const found = [
      known.named('payroll'),
      known.withKey(key.id)?.caller,
      known.withApp('7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55'),
      known.withFunctionKey('key:0123456789'),
    ];
    expect(found.map((caller) => caller?.name)).toEqual(['payroll', 'payroll', 'payroll', 'payroll']);
  });

  test('keeps the emails that its function key sent before', () => {
    expect(known.named('payroll')?.earlierNames).toEqual(['key:0123456789']);
    expect(known.named('key:0123456789')?.name).toBe('payroll');
  });

  test('that is switched off is known as that', () => {
    expect(known.named('helpdesk')?.rules.isDisabled).toBe(true);
  });

  test('says nothing of other keys, apps and function keys', () => {
    expect(known.withKey('nobody')).toBeUndefined();
    expect(known.withApp('00000000-0000-0000-0000-000000000000')).toBeUndefined();
    expect(known.withFunctionKey('key:other')).toMatchObject({
      name: 'key:other',
      knownAs: 'function-keys',
      earlierNames: [],
    });
  });
});

describe('the rules for callers that nobody declared', () => {
  const limited = makeKnownCallers([
    aDeclaredCaller('function-keys', { rules: { senders: ['noreply@contoso.example'] } }),
    aDeclaredCaller('queue', { rules: { isDisabled: true } }),
  ]);

  test('hold for each function key, and leave it its own name', () => {
    expect(limited.withFunctionKey('key:a')).toMatchObject({
      name: 'key:a',
      rules: { senders: ['noreply@contoso.example'] },
    });
  });

  test('hold for the queue', () => {
    expect(limited.named('queue')?.rules.isDisabled).toBe(true);
  });

  test('do not hold for the relay itself', () => {
    expect(limited.named(RELAY)?.rules).toEqual(UNLIMITED);
  });
});
