import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** A door in a process of its own, as users run it. */
export type DoorProcess = {
  readonly port: number;
  readonly healthPort: number;
  readonly lines: readonly LogLine[];
  /** Ends it without any warning, as a power failure does for the process. */
  readonly kill: () => Promise<void>;
  readonly send: (signal: NodeJS.Signals) => void;
  /** Ends when the process has. */
  readonly ended: Promise<number | null>;
};

const running = new Set<ChildProcess>();

/** Ends what a failed test left. */
export const endDoors = (): void => {
  for (const child of running) child.kill('SIGKILL');
};

/** Starts the single file of the door in a folder, and waits until it listens. `onLine` sees every event of its log. */
export const startDoorProcess = async (
  file: string,
  folder: string,
  onLine: (line: LogLine) => void = () => {},
): Promise<DoorProcess> => {
  const child = spawn(process.execPath, [file, '--config', join(folder, 'door.json')], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => {
    running.delete(child);
    return code ?? null;
  });
  const lines: LogLine[] = [];
  const errors: string[] = [];
  child.stderr.on('data', (chunk) => errors.push(String(chunk)));
  const started = await new Promise<LogLine>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      onLine(line);
      if (line.event === 'Started') resolve(line);
    });
    void ended.then((code) => reject(new Error(`The door ended with ${code}: ${errors.join('')}`)));
  });
  return {
    port: Number(started.ports),
    healthPort: Number(started.healthPort),
    lines,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    send: (signal) => void child.kill(signal),
    ended,
  };
};
