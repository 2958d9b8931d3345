import { expect, test } from 'vitest';
import { parametersOf, readCode, readInfra, templates } from './bicep-text.ts';

const TOP_LEVEL = ['main.bicep', 'registration.bicep', 'consent.bicep'];

test('main.bicep only composes: it contains no resource', () => {
  expect(readCode('main.bicep')).not.toMatch(/^\s*resource /m);
  expect(readCode('main.bicep').match(/^module /gm)).toHaveLength(10);
});

test('main.bicep asks for nine things at most', () => {
  expect(parametersOf('main.bicep').map(({ name }) => name)).toEqual([
    'entraClientId',
    'defaultSender',
    'name',
    'location',
    'settings',
    'secretSettings',
    'alertRecipients',
    'packageUri',
    'options',
  ]);
});

test.each(templates)('every parameter of %s begins by saying whether it is needed', (path) => {
  const parameters = parametersOf(path);
  expect(parameters).toHaveLength(readCode(path).match(/^param /gm)?.length ?? 0);
  for (const { name, description, fallback } of parameters) {
    const word = fallback === undefined ? 'Required.' : 'Optional.';
    expect(description, `${path}: ${name}`).toMatch(new RegExp(`^${word} [A-Z].*\\.$`));
  }
});

test.each(templates)('every output of %s is described', (path) => {
  const outputs = readCode(path).match(/^output /gm)?.length ?? 0;
  expect(readCode(path).match(/^@description\('.+'\)\noutput /gm) ?? []).toHaveLength(outputs);
});

test.each(TOP_LEVEL)('%s is deployed to a resource group', (path) => {
  expect(readCode(path)).toContain("targetScope = 'resourceGroup'");
});

test('main.bicepparam answers parameters that exist, and all that are required', () => {
  const answered = [...readInfra('main.bicepparam').matchAll(/^param (\w+) = /gm)].map(([, name]) => name);
  const parameters = parametersOf('main.bicep');
  expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(answered));
  expect(answered).toEqual(
    expect.arrayContaining(
      parameters.filter(({ fallback }) => fallback === undefined).map(({ name }) => name),
    ),
  );
});

test('what main.bicepparam is not given falls back to what main.bicep does by itself, also if it is given empty', () => {
  const fallbacks = Object.fromEntries(
    parametersOf('main.bicep').map(({ name, fallback }) => [name, fallback]),
  );
  const answers = readInfra('main.bicepparam');
  expect(answers).toContain(`empty(relayName) ? ${fallbacks.name} : relayName`);
  expect(answers).toContain(`empty(relaySettings) ? '${fallbacks.settings}' : relaySettings`);
  expect(answers).toContain(`empty(relayOptions) ? '${fallbacks.options}' : relayOptions`);
  for (const variable of answers.match(/readEnvironmentVariable\('RELAY_\w+'[^)]*\)/g) ?? [])
    expect(variable).toMatch(/, ''\)$/);
});
