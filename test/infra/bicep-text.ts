import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const INFRA = join(import.meta.dirname, '../../infra');

/** Paths of all templates, relative to infra/. */
export const templates: readonly string[] = readdirSync(INFRA, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.bicep'))
  .sort();

export const readInfra = (path: string): string => readFileSync(join(INFRA, path), 'utf8');

/** The template without comments: a rule about code is not broken by a sentence about it. */
export const readCode = (path: string): string => readInfra(path).replace(/^\s*\/\/.*$/gm, '');

const required = (found: string | undefined, what: string, path: string): string => {
  if (found === undefined) throw new Error(`${path} was expected to have ${what}`);
  return found;
};

/** The text of `var name = ...` or `type Name = ...` up to the bracket that closes it at the start of a line. */
const definitionOf = (path: string, name: string): string =>
  required(
    new RegExp(`^(?:var|type) ${name} = ([[{][\\s\\S]*?^[\\]}])`, 'm').exec(readCode(path))?.[1],
    `"var ${name}" or "type ${name}"`,
    path,
  );

/** The value of `var name = 'text'`. */
export const textVariable = (path: string, name: string): string =>
  required(
    new RegExp(`^var ${name} = '([^']*)'$`, 'm').exec(readCode(path))?.[1],
    `"var ${name} = '...'"`,
    path,
  );

/** The items of `var name = [...]`: texts, or names of variables that hold one. */
export const listVariable = (path: string, name: string): readonly string[] =>
  [...definitionOf(path, name).matchAll(/^ {2}(?:'([^']*)'|(\w+))$/gm)].map(
    ([, text, variable]) => text ?? textVariable(path, variable ?? ''),
  );

/** The entries of `var name = { key: 'text' }`. */
export const recordVariable = (path: string, name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...definitionOf(path, name).matchAll(/^ {2}'?([^':\n]+)'?: '([^']*)'$/gm)].map(([, key, value]) => [
      key ?? '',
      value ?? '',
    ]),
  );

/** Names of the properties of a type. */
export const propertiesOfType = (path: string, name: string): readonly string[] =>
  [...definitionOf(path, name).matchAll(/^ {2}(\w+): /gm)].map(([, property]) => property ?? '');

export type BicepParameter = {
  readonly name: string;
  readonly description: string | undefined;
  readonly fallback: string | undefined;
};

const PARAMETER = /^((?:@.*\n(?:[ \])}].*\n)*)*)param (\w+) [^\n=]+?(?: = (.*))?$/gm;

export const parametersOf = (path: string): readonly BicepParameter[] =>
  [...readCode(path).matchAll(PARAMETER)].map(([, decorators, name, fallback]) => ({
    name: name ?? '',
    description: /@description\('((?:[^'\\]|\\.)*)'\)/.exec(decorators ?? '')?.[1],
    fallback,
  }));

/** Everything that looks like `NAME: value` where app settings are made, by name. */
export const appSettings = (path: string): readonly string[] =>
  [...readCode(path).matchAll(/^ +([A-Z][A-Za-z_]*(?:_[A-Za-z]+)+): /gm)].map(([, name]) => name ?? '');
