import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const LOAD_APP = fileURLToPath(new URL('./processes/load-app.mjs', import.meta.url));

/** From the start of a Node process until an app has registered its functions. */
export type LoadTime = { readonly ms: number; readonly cpuMs: number; readonly functions: number };

/** Nothing of ours in the environment: no options of Node, and no cache of compiled code that one of the apps could have. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '', NODE_DISABLE_COMPILE_CACHE: '1' };

/** Loads the app of this entry in a new process; without one, starts Node and nothing else. */
export const measureLoad = async (entry?: string): Promise<LoadTime> => {
  const start = performance.now();
  const child = fork(LOAD_APP, entry === undefined ? [] : [entry], {
    env: ENVIRONMENT,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const said = await Promise.race([
    once(child, 'message').then(([message]) => message as Omit<LoadTime, 'ms'>),
    ended.then(([code]): never => {
      throw new Error(`Loading ${entry ?? 'nothing'} ended with exit code ${code} before it was done.`);
    }),
  ]);
  const ms = performance.now() - start;
  child.kill();
  await ended;
  return { ...said, ms };
};
