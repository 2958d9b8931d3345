import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';

const GROUP = ['--resource-group', 'rg-relay'];
const OPTIONS = [...GROUP, '--location', 'westeurope', '--sender', 'noreply@contoso.com'];
const AGAIN = [...GROUP, '--sender', 'noreply@contoso.com'];
const REGISTERED = '22222222-2222-2222-2222-222222222222';
const BY_HAND = '77777777-7777-7777-7777-777777777777';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

const run = (...args: readonly string[]): Promise<Run> => sandbox.runOnce('deploy.sh', args);
const works = async (...args: readonly string[]): Promise<Run> => {
  const done = await run(...args);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return done;
};
/** It stops before it changes anything. */
const stops = async (args: readonly string[], ...said: string[]): Promise<Run> => {
  const before = sandbox.cloud();
  const stopped = await run(...args);
  expect(stopped.status).toBeGreaterThan(0);
  for (const text of said) expect(stopped.stderr).toContain(text);
  expect(sandbox.cloud()).toEqual(before);
  return stopped;
};
const parameter = (name: string, deployment = 'graph-mail-relay') =>
  sandbox
    .lines(`deployment-${deployment}`)
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1);
const parameterFile = (parameters: Readonly<Record<string, unknown>>): string => {
  const path = join(sandbox.root, 'parameters.json');
  const values = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, { value }]));
  writeFileSync(path, JSON.stringify({ parameters: values }));
  return path;
};

describe('the registration that the relay runs with', () => {
  test('is kept by a run that does not name it', async () => {
    await works(...OPTIONS, '--client-id', BY_HAND);
    await works(...OPTIONS);
    expect(parameter('entraClientId')).toBe(BY_HAND);
    expect(sandbox.cloud().deployments).not.toHaveProperty('deployment-graph-mail-relay-registration');
  });

  test('gets the new secret, also where the script once registered another', async () => {
    await works(...OPTIONS);
    await works(...OPTIONS, '--client-id', BY_HAND);
    const renewed = await run(...GROUP, '--renew-secret', 'secret');
    expect(renewed.status).toBe(0);
    const resets = renewed.calls.filter((call) => call.includes('reset'));
    expect(resets.map((call) => call[call.indexOf('--id') + 1])).toEqual([BY_HAND]);
  });

  test('is the only one whose secret is stored without the step infrastructure', async () => {
    await works(...OPTIONS);
    await stops(
      [...GROUP, '--client-id', BY_HAND, '--renew-secret', 'secret'],
      `runs with client id ${REGISTERED}, and the secret would be one of ${BY_HAND}`,
    );
  });

  test('is exchanged for another only by its client id', async () => {
    await works(...OPTIONS, '--client-id', BY_HAND);
    await stops(
      [...OPTIONS, '--registration', 'relay-test'],
      `runs with client id ${BY_HAND}`,
      '--client-id',
    );
    const changed = await works(...OPTIONS, '--client-id', REGISTERED);
    expect(changed.stdout).toContain(`changes from client id ${BY_HAND} to ${REGISTERED}`);
  });

  test('is taken from the last deployment where the app cannot be asked', async () => {
    await sandbox.runOnce('deploy.sh', [...OPTIONS, '--client-id', BY_HAND], {
      FAIL_DEPLOYMENT: '(BadRequest) The template was rejected.',
    });
    await works(...OPTIONS);
    expect(parameter('entraClientId')).toBe(BY_HAND);
  });

  test('of another relay of the tenant is not shared unless its name is given', async () => {
    sandbox.set('applications', 'graph-mail-relay\n');
    const stopped = await run(...OPTIONS);
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toContain(
      `has an app registration 'graph-mail-relay' already (client id ${REGISTERED})`,
    );
    expect(sandbox.cloud().deployments).toEqual({});
    await works(...OPTIONS, '--registration', 'graph-mail-relay');
  });
});

describe('an option of the last deployment that is not given again', () => {
  test('stops the run, which names it and shows no value', async () => {
    await works(...OPTIONS, '--alert-to', 'it@contoso.com');
    const stopped = await stops(OPTIONS, 'alertRecipients: give it in --alert-to', '--reset');
    expect(stopped.stderr).not.toContain('it@contoso.com');
    await stops([...OPTIONS, '--what-if'], '--alert-to');
  });

  test('such as the private network stops it too', async () => {
    const file = parameterFile({ options: { privateNetwork: true } });
    await works(...OPTIONS, '--parameters', file);
    await stops(OPTIONS, 'options.privateNetwork: give it in the file of --parameters');
    await works(...OPTIONS, '--parameters', file);
  });

  test('is reset with --reset', async () => {
    await works(...OPTIONS, '--alert-to', 'it@contoso.com');
    await works(...OPTIONS, '--reset');
    expect(parameter('alertRecipients')).toBeUndefined();
    await works(...OPTIONS);
  });

  test('can change, and can be in the file instead', async () => {
    await works(...OPTIONS, '--alert-to', 'it@contoso.com');
    await works(...OPTIONS, '--alert-to', 'post@contoso.com');
    await works(...OPTIONS, '--parameters', parameterFile({ alertRecipients: ['post@contoso.com'] }));
  });

  test('does not stop a step that deploys no template', async () => {
    await works(...OPTIONS, '--alert-to', 'it@contoso.com');
    await works(...GROUP, 'code', 'smoke-test');
  });
});

describe('the relay that is there', () => {
  test('is meant where no name is given', async () => {
    await works(...OPTIONS, '--name', 'prod');
    await works(...AGAIN);
    expect(Object.keys(sandbox.cloud().deployments)).toEqual([
      'deployment-graph-mail-relay-prod',
      'deployment-graph-mail-relay-prod.registration',
    ]);
    expect(parameter('name', 'graph-mail-relay-prod')).toBe('prod');
  });

  test('stays in its region, which need not be given again', async () => {
    sandbox.set('group', 'westeurope\n');
    sandbox.set('tags', 'owner=finance\n');
    await works(...AGAIN, '--location', 'northeurope');
    await works(...AGAIN);
    expect(parameter('location')).toBe('northeurope');
    await works(...AGAIN, '--location', 'North Europe');
    await stops([...AGAIN, '--location', 'westeurope'], "'mail-relay' is in northeurope, not in westeurope");
  });

  test('is not doubled by a parameter file that names another', async () => {
    await works(...OPTIONS, '--name', 'prod');
    const file = parameterFile({ name: 'test' });
    await stops([...AGAIN, '--parameters', file], '--name prod, or --name test');
    await stops([...AGAIN, '--parameters', 'infra/main.bicepparam'], '--name prod, or --name mail-relay');
    await works(...AGAIN, '--parameters', parameterFile({ name: 'prod' }));
  });

  test('gets a new secret after a deployment that failed', async () => {
    await works(...OPTIONS);
    const failed = await sandbox.runOnce('deploy.sh', OPTIONS, {
      FAIL_DEPLOYMENT: '(BadRequest) The template was rejected.',
    });
    expect(failed.status).toBe(1);
    const renewed = await run(...GROUP, '--renew-secret', 'secret');
    expect(renewed.status).toBe(0);
    expect(renewed.stdout).toContain('a new client secret is stored');
  });

  test('without a vault or an app says which of them is missing', async () => {
    await works(...OPTIONS, 'registration');
    await stops([...GROUP, 'secret'], "no relay 'mail-relay' with a vault");
    await stops([...GROUP, 'code'], "no relay 'mail-relay' with a function app");
  });
});

describe('two relays in one resource group', () => {
  const PROD = ['--name', 'prod'];
  beforeEach(async () => {
    await works(...OPTIONS);
    await works(...OPTIONS, ...PROD, '--registration', 'relay-prod', '--alert-to', 'it@contoso.com');
  });

  test('have their own deployments, registrations and packages', async () => {
    expect(Object.keys(sandbox.cloud().deployments)).toEqual([
      'deployment-graph-mail-relay',
      'deployment-graph-mail-relay-prod',
      'deployment-graph-mail-relay-prod.registration',
      'deployment-graph-mail-relay-registration',
    ]);
    const packages = sandbox.lines('tags').map((tag) => tag.split('=')[0]);
    expect(packages).toEqual(expect.arrayContaining(['graphMailRelayPackage', 'graphMailRelayPackage-prod']));
  });

  test('are asked for by name', async () => {
    await stops([...GROUP, 'smoke-test'], 'has several relays: mail-relay prod', '--name <name>');
  });

  test('each keep their options', async () => {
    await works(...OPTIONS, '--name', 'mail-relay');
    await stops([...OPTIONS, ...PROD], '--alert-to');
  });

  test('each get their own steps', async () => {
    const smoke = await works(...GROUP, ...PROD, 'smoke-test');
    expect(
      smoke.calls
        .filter(([tool]) => tool === 'curl')
        .flat()
        .join(' '),
    ).toContain('func-relay-prod.');
    const renewed = await run(...GROUP, ...PROD, '--renew-secret', 'secret');
    expect(renewed.status).toBe(0);
    expect(renewed.stdout).toContain('in kv-relay-prod');
  });
});

describe('a command for another person has every option that they need', () => {
  const SUBSCRIPTION = ['--subscription', '11111111-1111-1111-1111-111111111111'];

  test('of the registration', async () => {
    const options = [...OPTIONS, ...SUBSCRIPTION, '--name', 'prod', '--registration', 'relay-prod'];
    const refused = await sandbox.runOnce('deploy.sh', options, { LACKS: 'registration.bicep' });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain(
      'infra/deploy.sh --resource-group rg-relay --subscription 11111111-1111-1111-1111-111111111111 --name prod --registration relay-prod --location westeurope registration',
    );
  });

  test('of the consent', async () => {
    const options = [...OPTIONS, ...SUBSCRIPTION, '--client-id', BY_HAND, '--consent'];
    const refused = await sandbox.runOnce('deploy.sh', options, { LACKS: 'consent.bicep' });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain(
      `infra/deploy.sh --resource-group rg-relay --subscription 11111111-1111-1111-1111-111111111111 --client-id ${BY_HAND} --consent consent`,
    );
  });

  test('of the function key', async () => {
    const { stdout } = await works(...OPTIONS, ...SUBSCRIPTION);
    expect(stdout).toContain(
      'az functionapp keys list --resource-group rg-relay --subscription 11111111-1111-1111-1111-111111111111 --name func-relay',
    );
  });
});
