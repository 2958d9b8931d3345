import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Resource = {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly tags?: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: each type of resource has properties of its own, and a test asserts them.
  readonly properties?: any;
};

/** What a deployment would contain, as the compiler predicts it. check-infra.ts compares the files with the templates. */
const read = (name: string): readonly Resource[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'snapshots', `${name}.snapshot.json`), 'utf8'))
    .predictedResources;

export const defaults = read('defaults');
export const everyOption = read('every-option');

export const ofType = (resources: readonly Resource[], type: string): readonly Resource[] =>
  resources.filter((resource) => resource.type === type);

/** The only resource of a type. */
export const only = (resources: readonly Resource[], type: string): Resource => {
  const found = ofType(resources, type);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`expected one ${type} in the snapshot, found ${found.length}`);
  return found[0];
};
