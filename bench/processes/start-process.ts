import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export type Started<Said> = { readonly said: Said; close(): Promise<void> };

/** Starts a file of this folder as a process and waits for what it says. */
export const startProcess = async <Said>(
  file: 'stand-ins.ts' | 'storage.ts',
  ...args: readonly string[]
): Promise<Started<Said>> => {
  const child = fork(join(import.meta.dirname, file), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const said = await Promise.race([
    once(child, 'message').then(([message]) => message as Said),
    ended.then(([code]): never => {
      throw new Error(`bench/processes/${file} ended with ${code} before it was ready.`);
    }),
  ]);
  return {
    said,
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};
