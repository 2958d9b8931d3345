import packageJson from '../package.json' with { type: 'json' };
import { runCommandLine } from './command.ts';
import { startDoor } from './server/start-door.ts';

void runCommandLine({ version: packageJson.version, startDoor });
