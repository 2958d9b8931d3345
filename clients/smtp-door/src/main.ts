import { isMainThread } from 'node:worker_threads';
import packageJson from '../package.json' with { type: 'json' };
import { runCommandLine } from './command.ts';
import { judgeForDoor } from './message/judge-apart.ts';
import { startDoor } from './server/start-door.ts';

// The program is one file, which its threads run too.
void (isMainThread
  ? runCommandLine({ version: packageJson.version, startDoor, program: new URL(import.meta.url) })
  : judgeForDoor());
