import packageJson from '../package.json' with { type: 'json' };
import { runCommandLine } from './command.ts';
import { judgeMessage } from './message/judge-message.ts';
import { startDoor } from './server/start-door.ts';

void runCommandLine({
  version: packageJson.version,
  startDoor,
  judgeFile: (bytes, account, settings) => judgeMessage({ bytes, account }, settings),
});
