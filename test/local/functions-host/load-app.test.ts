import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createCoreApi, createRegistrations } from '../../../local/functions-host/core-api.ts';
import { loadApp } from '../../../local/functions-host/load-app.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

// The folder is outside the repository, so these apps talk to the core themselves.
const CORE = `const core = require('@azure/functions-core');
const register = (name) => core.registerFunction({ name, bindings: { t: { type: 'timerTrigger' } } }, () => {});
`;

function anApp(files: Record<string, string>, packageJson: object = { main: 'main.cjs' }) {
  const folder = mkdtempSync(join(tmpdir(), 'functions-app-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson));
  return folder;
}

async function load(folder: string) {
  const registrations = createRegistrations();
  const app = await loadApp(
    folder,
    createCoreApi(registrations, () => {}),
    registrations,
  );
  app.unload();
  return [...registrations.functions.values()].map(({ metadata }) => metadata.name);
}

test('"main" may be a glob', async () => {
  const folder = anApp(
    { 'b.cjs': `${CORE}register('b');`, 'a.cjs': `${CORE}register('a');` },
    { main: '*.cjs' },
  );
  expect(await load(folder)).toEqual(['a', 'b']);
});

test('an .mjs file is imported, and finds the core through createRequire', async () => {
  const code = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n${CORE}register('esm');`;
  expect(await load(anApp({ 'main.mjs': code }, { main: 'main.mjs' }))).toEqual(['esm']);
});

test('an app can be loaded again in the same process', async () => {
  const folder = anApp({ 'main.cjs': `${CORE}register('again');` });
  expect(await load(folder)).toEqual(['again']);
  expect(await load(folder)).toEqual(['again']);
});

test('"main" that matches nothing is an error, where Azure would be silent', async () => {
  await expect(load(anApp({}, { main: 'dist/*.cjs' }))).rejects.toThrow(
    /"main": "dist\/\*\.cjs" of .* matches no file\. Azure would start this app with 0 functions and no error\./,
  );
});

test.each([
  ['no "main"', {}, {}, 'has no "main". Azure would start this app with 0 functions'],
  [
    'no function',
    { 'main.cjs': '' },
    undefined,
    '"main.cjs" was loaded but registered no function. Azure would',
  ],
  [
    'a throw before the first function',
    { 'main.cjs': "throw new Error('SETTING is missing')" },
    undefined,
    'Loading "main.cjs" failed after 0 registered functions: SETTING is missing. Azure would start this app with 0',
  ],
  [
    'a throw after a function',
    { 'main.cjs': `${CORE}register('a'); throw new Error('late')` },
    undefined,
    'failed after 1 registered functions: late. Azure would not start this app.',
  ],
  [
    'a name used twice',
    { 'main.cjs': `${CORE}register('sendMail'); register('SendMail');` },
    undefined,
    'A function with the name "SendMail" is already registered.',
  ],
])('%s is an error', async (_, files, packageJson, message) => {
  await expect(load(anApp(files as Record<string, string>, packageJson))).rejects.toThrow(message);
});

test('registration ends with loading', async () => {
  const folder = anApp({
    'main.cjs': `${CORE}register('a'); globalThis.registerLater = () => register('late');`,
  });
  await load(folder);
  const { registerLater } = globalThis as unknown as { registerLater: () => void };
  expect(registerLater).toThrow('A function can only be registered during app startup.');
});

test('one process hosts one app at a time', async () => {
  const folder = anApp({ 'main.cjs': `${CORE}register('a');` });
  const registrations = createRegistrations();
  const first = await loadApp(
    folder,
    createCoreApi(registrations, () => {}),
    registrations,
  );
  await expect(load(folder)).rejects.toThrow('One process hosts one functions app at a time');
  first.unload();
  expect(await load(folder)).toEqual(['a']);
});
