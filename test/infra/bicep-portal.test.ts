import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settingsTable } from '../../src/lib/settings/settings.ts';

const readJson = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../infra', name), 'utf8'));

type Element = {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly toolTip: string;
  readonly defaultValue?: string | boolean;
  readonly placeholder?: string;
  readonly constraints?: {
    readonly required: boolean;
    readonly regex: string;
    readonly validationMessage: string;
    readonly allowedValues?: readonly { readonly label: string; readonly value: string }[];
  };
};
type Step = { readonly name: string; readonly label: string; readonly elements: readonly Element[] };
type Shape = {
  readonly type?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly defaultValue?: unknown;
  readonly allowedValues?: readonly unknown[];
  readonly metadata: { readonly description: string };
};

const template = readJson('azuredeploy.json');
const form = readJson('createUiDefinition.json');
const parameters: Readonly<Record<string, Shape>> = template.parameters;
const options: Readonly<Record<string, Shape>> = template.definitions.Options.properties;
const steps: readonly Step[] = form.parameters.steps;
const elements: readonly Element[] = [...form.parameters.basics, ...steps.flatMap((step) => step.elements)];
const questions = elements.filter(({ type }) => type !== 'Microsoft.Common.InfoBox');
const textBoxes = elements.filter(({ type }) => type === 'Microsoft.Common.TextBox');

const elementOf = (name: string): Element => {
  const found = elements.find((element) => element.name === name);
  if (found === undefined) throw new Error(`expected an element ${name} in createUiDefinition.json`);
  return found;
};

const accepts = (name: string, text: string): boolean =>
  new RegExp(elementOf(name).constraints?.regex ?? '').test(text);

/** The functions of createUiDefinition that the outputs use: https://learn.microsoft.com/azure/azure-resource-manager/managed-applications/create-uidefinition-functions */
const functions = {
  split: (text: string, separator: string) => text.split(separator),
  coalesce: (...values: readonly unknown[]) => values.find((value) => value !== null && value !== undefined),
  choose: (condition: boolean, yes: unknown, no: unknown) => (condition ? yes : no),
  location: () => 'westeurope',
};

/** What the form gives to the template when these answers are typed, and the others are left as they are. */
const outputsFor = (
  answers: Readonly<Record<string, string | boolean>>,
): Readonly<Record<string, unknown>> => {
  const answerTo = ({ name, defaultValue, constraints }: Element) =>
    answers[name] ??
    constraints?.allowedValues?.find(({ label }) => label === defaultValue)?.value ??
    defaultValue;
  const answersOf = (list: readonly Element[]) =>
    Object.fromEntries(list.map((element) => [element.name, answerTo(element)]));
  const world = {
    ...functions,
    basics: (name: string) => answersOf(form.parameters.basics)[name],
    steps: (name: string) => answersOf(steps.find((step) => step.name === name)?.elements ?? []),
  };
  const evaluate = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, evaluate(inner)]));
    const expression = /^\[(.*)\]$/.exec(String(value))?.[1];
    if (expression === undefined) return value;
    const body = `return ${expression.replaceAll(/\bif\(/g, 'choose(')};`;
    return new Function(...Object.keys(world), body)(...Object.values(world));
  };
  return evaluate(form.parameters.outputs) as Readonly<Record<string, unknown>>;
};

const ANSWERS = {
  entraClientId: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  defaultSender: 'Contoso <noreply@contoso.com>',
};

test('azuredeploy.json holds nothing that changes with the compiler alone', () => {
  expect(JSON.stringify(template)).not.toContain('_generator');
});

test('changes to the configuration of the app wait for one another, and the package comes last', () => {
  const app = Object.values(template.resources as Record<string, { properties: { template?: object } }>)
    .map(
      ({ properties }) =>
        properties.template as { resources: Record<string, { dependsOn?: string[] }> } | undefined,
    )
    .find((nested) => nested?.resources.app_package !== undefined);
  const waitsFor = (name: string) => app?.resources[name]?.dependsOn;
  expect(waitsFor('settingsOfApp')).toContain('app');
  expect(waitsFor('app_ftp')).toContain('settingsOfApp');
  expect(waitsFor('app_scm')).toContain('app_ftp');
  expect(waitsFor('app_package')).toContain('app_scm');
});

describe('the form in the portal', () => {
  test('asks in the order in which an administrator has the answers', () => {
    expect(steps.map(({ name }) => name)).toEqual(['sender', 'code', 'alerts', 'options']);
    expect(questions.map(({ name }) => name)).toEqual([
      'name',
      'entraClientId',
      'defaultSender',
      'packageUri',
      'alertRecipients',
      'privateNetwork',
      'operatorIpRanges',
      'storageSku',
      'alwaysReady',
    ]);
  });

  test('gives the template every parameter except the settings, which the app keeps', () => {
    expect(Object.keys(form.parameters.outputs).sort()).toEqual(
      Object.keys(parameters)
        .filter((name) => name !== 'settings' && name !== 'secretSettings')
        .sort(),
    );
    for (const name of Object.keys(form.parameters.outputs.options)) expect(options).toHaveProperty(name);
  });

  test('every question is answered in the outputs', () => {
    const outputs = JSON.stringify(form.parameters.outputs);
    for (const { name } of questions)
      expect(outputs).toMatch(new RegExp(`\\.${name}\\b|basics\\('${name}'\\)`));
  });

  test('requires what the template requires', () => {
    for (const { name, constraints } of textBoxes.filter((box) => box.name in parameters)) {
      const isRequired = parameters[name]?.defaultValue === undefined || name === 'name';
      expect(constraints?.required, name).toBe(isRequired);
    }
  });

  test('explains each question in the words of the template', () => {
    for (const { name, toolTip } of questions) {
      const description = (parameters[name] ?? options[name])?.metadata.description ?? '';
      expect(toolTip, name).toBe(description.replace(/^(?:Required|Optional)\. /, ''));
    }
  });

  test('with only the required answers deploys what the template deploys by itself', () => {
    expect(outputsFor(ANSWERS)).toEqual({
      ...ANSWERS,
      location: 'westeurope',
      name: parameters.name?.defaultValue,
      packageUri: parameters.packageUri?.defaultValue,
      // main.bicep removes empty entries.
      alertRecipients: [''],
      options: { privateNetwork: false, operatorIpRanges: [''], storageSku: 'Standard_LRS', alwaysReady: 0 },
    });
  });

  test('turns lists and check boxes into what the template takes', () => {
    const outputs = outputsFor({
      ...ANSWERS,
      alertRecipients: 'it@contoso.com, on-call@contoso.com',
      privateNetwork: true,
      operatorIpRanges: '203.0.113.7,198.51.100.0/24',
      storageSku: 'Standard_ZRS',
      alwaysReady: true,
    });
    expect(outputs).toMatchObject({
      alertRecipients: ['it@contoso.com', ' on-call@contoso.com'],
      options: {
        privateNetwork: true,
        operatorIpRanges: ['203.0.113.7', '198.51.100.0/24'],
        storageSku: 'Standard_ZRS',
        alwaysReady: 1,
      },
    });
  });

  test('offers the choices that the template has', () => {
    expect(
      elementOf('storageSku')
        .constraints?.allowedValues?.map(({ value }) => value)
        .sort(),
    ).toEqual([...(options.storageSku?.allowedValues ?? [])].sort());
  });

  test('every text box checks what is typed, says what it expects, and accepts its own example', () => {
    for (const { name, constraints, placeholder, defaultValue } of textBoxes) {
      expect(constraints?.regex, name).toMatch(/^\^.*\$$/);
      expect(constraints?.validationMessage, name).toMatch(/^[A-Z0-9].*\.$/);
      if (typeof defaultValue === 'string') expect(accepts(name, defaultValue), name).toBe(true);
      if (placeholder) expect(accepts(name, placeholder), name).toBe(true);
      expect(accepts(name, ''), name).toBe(!constraints?.required);
    }
  });

  test.each([
    [
      'name',
      ['ab', 'mail-relay', 'Relay2', `a${'b'.repeat(19)}`],
      ['a', '2relay', 'mail_relay', 'mail relay', 'a'.repeat(21)],
    ],
    [
      'entraClientId',
      ['7D1F8C1E-5D3B-4A43-9D8C-0D9F1F4B2C55'],
      ['7d1f8c1e', '{7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55}', ' 7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55'],
    ],
    [
      'packageUri',
      ['https://contoso.com/a.zip', 'https://contoso.com/a.zip?sig=x'],
      [
        'http://contoso.com/a.zip',
        'contoso.com/a.zip',
        'https://contoso.com/a',
        'https://contoso.com/a b.zip',
      ],
    ],
    [
      'operatorIpRanges',
      ['203.0.113.7', '203.0.113.7/32, 198.51.100.0/24', '192.0.2.16/31'],
      ['203.0.113', '203.0.113.256', '203.0.113.7/33', '::1', '203.0.113.7 198.51.100.0'],
    ],
    [
      'alertRecipients',
      ['it@contoso.com', 'it@contoso.com , on-call@contoso.com'],
      ['it', 'it@contoso.com;on-call@contoso.com', 'it@contoso.com,', 'IT <it@contoso.com>'],
    ],
  ])('%s takes what the deployment takes', (name, good, bad) => {
    for (const text of good) expect(accepts(name, text), text).toBe(true);
    for (const text of bad) expect(accepts(name, text), text).toBe(false);
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = parameters[name] ?? {};
    for (const text of good) {
      expect(text.length).toBeGreaterThanOrEqual(minLength);
      expect(text.length).toBeLessThanOrEqual(maxLength);
    }
  });

  test.each([
    ['noreply@contoso.com', true],
    ['Contoso <noreply@contoso.com>', true],
    ['noreply', false],
    ['noreply@contoso', false],
    ['<noreply@contoso.com', false],
    ['a@contoso.com, b@contoso.com', false],
    ['no reply@contoso.com', false],
  ])('the default sender %s is accepted by the form as by the relay: %s', (text, isGood) => {
    const parse = () => settingsTable.MAIL_DEFAULT_SENDER.parse(text);
    expect(accepts('defaultSender', text)).toBe(isGood);
    if (isGood) expect(parse).not.toThrow();
    else expect(parse).toThrow();
  });
});
