import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANY_PORTS, type Cloud, type CloudOptions, startCloud } from '../../local/cloud.ts';
import { type HostProcess, type HostProcessOptions, startHostProcess } from '../../local/host-process.ts';
import { bundle } from '../../scripts/bundle.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export const KEYS = { functionKey: 'the-function-key', masterKey: 'the-master-key' };

/** A cloud of its own on free ports, in a folder that goes with it. */
export type CloudForTests = Cloud & { readonly folder: string };

export async function cloudForTests(options: Partial<CloudOptions> = {}): Promise<CloudForTests> {
  const folder = await mkdtemp(join(tmpdir(), 'mail-relay-'));
  const forget = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const cloud = await startCloud({ folder, ports: ANY_PORTS, ...options });
    return {
      ...cloud,
      folder,
      close: async () => {
        await cloud.close();
        await forget();
      },
    };
  } catch (error) {
    await forget();
    throw error;
  }
}

/**
 * What is deployed, in a folder: host.json, package.json and the bundle. The queue is looked at more often than in
 * Azure, and a failed message comes back at once, so that tests need not wait. Where an attempt is to count as lost
 * soon, functions have to end sooner.
 */
export async function makeAppFolder(
  folder: string,
  { functionTimeout }: { readonly functionTimeout?: string } = {},
): Promise<string> {
  const app = join(folder, 'app');
  await mkdir(app, { recursive: true });
  const hostJson = JSON.parse(await readFile(join(ROOT, 'host.json'), 'utf8'));
  const { queues } = hostJson.extensions;
  Object.assign(queues, { maxPollingInterval: '00:00:00.2', visibilityTimeout: '00:00:00' });
  if (functionTimeout !== undefined) hostJson.functionTimeout = functionTimeout;
  await writeFile(join(app, 'host.json'), JSON.stringify(hostJson));
  await Promise.all([
    copyFile(join(ROOT, 'package.json'), join(app, 'package.json')),
    bundleInto(join(app, 'dist'), join(app, 'host.json')),
  ]);
  return app;
}

/** Puts the bundle for a host.json where it is wanted. In a run of the tests it is made once, by the first file that asks. */
const bundleInto = async (dist: string, hostJson: string): Promise<void> => {
  const folder = process.env.BUNDLES_OF_THIS_RUN;
  if (folder === undefined) {
    await bundle(dist, hostJson);
    return;
  }
  const hash = createHash('sha256')
    .update(await readFile(hostJson))
    .digest('hex');
  const made = join(folder, hash.slice(0, 16));
  if (!existsSync(made)) {
    const half = await mkdtemp(`${made}-`);
    await bundle(half, hostJson);
    // In one step, so that nobody finds half of it. Of two files that bundle at the same time, the second comes too late.
    await rename(half, made).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(made)) throw error;
    });
  }
  await cp(made, dist, { recursive: true });
};

/** Starts the app in a functions host of its own process; `settings` win over what the cloud says. */
export const hostForTests = (
  cloud: Pick<Cloud, 'environment'>,
  options: Pick<HostProcessOptions, 'appFolder' | 'log'> & { readonly settings?: Record<string, string> },
): Promise<HostProcess> => {
  const { settings, ...rest } = options;
  return startHostProcess({
    ...KEYS,
    ...rest,
    port: 0,
    environment: { ...cloud.environment, ...settings },
  });
};
