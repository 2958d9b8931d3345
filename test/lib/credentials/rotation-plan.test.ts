import { describe, expect, test } from 'vitest';
import { planRotation, type RotationFacts } from '../../../src/lib/credentials/rotation-plan.ts';
import type { MadeSecret, RegisteredCredential, RotationState, SecretFacts } from '../../../src/lib/ports.ts';
import { aSecret } from '../../support/fake-vault.ts';

const NOW = new Date('2026-06-01T08:00:00Z');
const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(NOW.getTime() - days * DAY_MS);
const ahead = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

const TAGS = (keyId: string) => ({ 'entra-key-id': keyId, 'made-by': 'graph-mail-relay' });
const made = (number: number, days: number): MadeSecret => ({
  keyId: `k${number}`,
  displayName: `Graph Mail Relay ${number}`,
  version: `v${number}`,
  storedAt: ago(days).toISOString(),
});
const versionOf = (number: number, days: number, changes: Partial<SecretFacts> = {}): SecretFacts =>
  aSecret({
    version: `v${number}`,
    createdOn: ago(days),
    expiresOn: ahead(60 - days),
    tags: TAGS(`k${number}`),
    ...changes,
  });
const registeredAs = (number: number, changes: Partial<RegisteredCredential> = {}): RegisteredCredential => ({
  keyId: `k${number}`,
  kind: 'secret',
  displayName: `Graph Mail Relay ${number}`,
  ...changes,
});
const FOREIGN = aSecret({ version: 'v0', createdOn: ago(10), expiresOn: ahead(170) });
const FOREIGN_REGISTERED = registeredAs(0, { displayName: 'graph-mail-relay 2026' });

const state = (changes: Partial<RotationState> = {}): RotationState => ({
  clientId: 'the relay',
  abandoned: [],
  made: [],
  reported: [],
  ...changes,
});
const plan = (changes: Partial<RotationFacts> = {}) => {
  const versions = changes.versions ?? [FOREIGN];
  return planRotation({
    state: state(),
    registered: [FOREIGN_REGISTERED],
    versions,
    inUse: versions[0] ?? FOREIGN,
    rotationDays: 30,
    now: NOW,
    ...changes,
  });
};

const RENEW = { kind: 'renew', lifetimes: [60, 44] };
const DONE = { kind: 'done' };

describe('a secret is renewed', () => {
  test.each<[string, Partial<SecretFacts>, unknown]>([
    ['not while it is young and valid for long', {}, DONE],
    ['once it has been in use for so many days', { createdOn: ago(30) }, RENEW],
    ['not a minute before', { createdOn: new Date(ago(30).getTime() + 60_000) }, DONE],
    ['when somebody else made it and it ends within so many days', { expiresOn: ahead(30) }, RENEW],
    ['by its age alone where the vault has no end of it', { expiresOn: undefined as never }, DONE],
  ])('%s', (_case, changes, expected) => {
    expect(plan({ versions: [{ ...FOREIGN, ...changes }] })).toEqual(expected);
  });

  test.each<[number, number, unknown]>([
    [29, 31, { kind: 'done' }],
    [30, 30, RENEW],
    // Of a policy that allows 44 days only.
    [20, 24, { kind: 'done' }],
    [29, 15, { kind: 'done' }],
    [10, 7, RENEW],
  ])('when the relay made it %i days ago and it ends in %i: %j', (age, left, expected) => {
    const versions = [versionOf(1, age, { expiresOn: ahead(left) })];
    const registered = [registeredAs(1)];
    expect(plan({ state: state({ made: [made(1, age)] }), versions, registered })).toEqual(expected);
  });

  test.each([
    [14, [28]],
    [15, [30, 29]],
    [90, [180, 104]],
    [365, [730, 379]],
  ])('every %i days with a life of these days: %j', (rotationDays, lifetimes) => {
    const versions = [{ ...FOREIGN, createdOn: ago(400) }];
    expect(plan({ rotationDays, versions })).toEqual({ kind: 'renew', lifetimes });
  });

  test('not again while Entra goes on to accept the one before', () => {
    const old = { ...FOREIGN, createdOn: ago(31) };
    const fresh = versionOf(1, 1);
    const facts = { versions: [fresh, old], inUse: old, registered: [registeredAs(1)] };
    expect(plan({ ...facts, state: state({ made: [made(1, 1)] }) })).toEqual(DONE);
    // But where somebody has stored what Entra does not know.
    const wrong = aSecret({ version: 'v9', createdOn: ago(1) });
    expect(plan({ ...facts, versions: [wrong, old] })).toEqual(RENEW);
    // And where the new one is disabled.
    expect(
      plan({ ...facts, versions: [{ ...fresh, enabled: false }, old], state: state({ made: [made(1, 1)] }) }),
    ).toEqual(RENEW);
  });
});

describe('an attempt that has not ended', () => {
  const attempt = { displayName: 'Graph Mail Relay 1', startedAt: ago(0).toISOString() };
  const old = { ...attempt, startedAt: ago(1).toISOString() };

  test('is left alone for half an hour, and then abandoned', () => {
    expect(plan({ state: state({ attempt }) })).toEqual({ kind: 'wait' });
    const later = new Date(NOW.getTime() + 30 * 60_000);
    expect(plan({ state: state({ attempt }), now: later })).toEqual({ kind: 'abandon', attempt });
  });

  test.each<[string, Partial<RotationFacts>, unknown]>([
    ['has made nothing', {}, DONE],
    [
      'has made a secret that is nowhere',
      { registered: [registeredAs(1)] },
      { kind: 'remove', keyId: 'k1', why: 'lost' },
    ],
    [
      'has made a secret that is in the vault',
      { registered: [registeredAs(1)], versions: [versionOf(1, 1), FOREIGN] },
      { kind: 'adopt', made: made(1, 1) },
    ],
    [
      'has made nothing, and a certificate or another secret has the like of its name',
      {
        registered: [
          registeredAs(1, { kind: 'certificate' }),
          registeredAs(2, { displayName: 'Graph Mail Relay 10' }),
          registeredAs(3, { displayName: undefined as never }),
        ],
      },
      DONE,
    ],
    [
      'is known by another key id than what has its name',
      { state: state({ abandoned: [{ ...old, keyId: 'k9' }] }), registered: [registeredAs(1)] },
      DONE,
    ],
  ])('when abandoned, %s', (_case, facts, expected) => {
    expect(plan({ state: state({ abandoned: [old] }), ...facts })).toEqual(expected);
  });
});

describe('a replaced secret is removed', () => {
  const replaced: RotationFacts = {
    state: state({ made: [made(1, 40), made(2, 8)] }),
    registered: [registeredAs(1), registeredAs(2)],
    versions: [versionOf(2, 8), versionOf(1, 40)],
    inUse: versionOf(2, 8),
    rotationDays: 30,
    now: NOW,
  };

  test('after a week in which its successor was in use', () => {
    expect(planRotation(replaced)).toEqual({ kind: 'remove', keyId: 'k1', why: 'replaced' });
  });

  test.each<[string, Partial<RotationFacts>]>([
    [
      'its successor has been there for less than a week',
      { state: state({ made: [made(1, 40), made(2, 6)] }) },
    ],
    ['Entra accepts only the old one', { inUse: versionOf(1, 20) }],
    ['somebody has stored a newer one', { inUse: aSecret({ version: 'v3', createdOn: ago(8) }) }],
    ['somebody has stored the old one again', { inUse: aSecret({ version: 'v3', createdOn: ago(1) }) }],
    [
      'the version in use has tags of the relay, and is another',
      { inUse: versionOf(2, 8, { version: 'v3' }) },
    ],
    ['the version in use has no tag of the relay', { inUse: versionOf(2, 8, { tags: {} }) }],
    ['the relay has no record of it', { state: state({ made: [made(2, 8)], reported: ['k1'] }) }],
    [
      'it has another name at Entra',
      { registered: [registeredAs(1, { displayName: 'Payroll' }), registeredAs(2)] },
    ],
    ['it is a certificate', { registered: [registeredAs(1, { kind: 'certificate' }), registeredAs(2)] }],
    ['the vault has no version of it', { versions: [versionOf(2, 8)] }],
    ['its version has another tag', { versions: [versionOf(2, 8), versionOf(1, 40, { tags: {} })] }],
    [
      'its version was made by deploy.sh',
      {
        versions: [
          versionOf(2, 8),
          versionOf(1, 40, { tags: { 'entra-key-id': 'k1', 'made-by': 'deploy.sh' } }),
        ],
      },
    ],
  ])('never where %s', (_case, changes) => {
    expect(planRotation({ ...replaced, ...changes }).kind).not.toBe('remove');
  });

  test('and forgotten where somebody has removed it at Entra', () => {
    expect(planRotation({ ...replaced, registered: [registeredAs(2)] })).toEqual({
      kind: 'forget',
      keyIds: ['k1'],
    });
  });
});

describe('secrets that others made', () => {
  const settled: RotationFacts = {
    state: state({ made: [made(1, 8)] }),
    registered: [
      FOREIGN_REGISTERED,
      registeredAs(1),
      registeredAs(5, { expiresOn: ago(1) }),
      registeredAs(6, { kind: 'certificate' }),
    ],
    versions: [versionOf(1, 8), FOREIGN],
    inUse: versionOf(1, 8),
    rotationDays: 30,
    now: NOW,
  };

  test('are named once, where they are still valid and the relay has used its own for a week', () => {
    expect(planRotation(settled)).toEqual({ kind: 'report', keyIds: ['k0'] });
    expect(planRotation({ ...settled, state: state({ made: [made(1, 8)], reported: ['k0'] }) })).toEqual(
      DONE,
    );
    expect(planRotation({ ...settled, state: state({ made: [made(1, 6)] }) })).toEqual(DONE);
  });
});
