import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundle } from '../scripts/bundle.ts';
import { startCloud } from './cloud.ts';
import { startInbox } from './inbox/inbox-server.ts';
import { prepareStart } from './prepare-start.ts';
import { toCurl } from './welcome.ts';

/** Runs the app under Azure Functions Core Tools instead of our own host, with the same local cloud around it. */
const ROOT = join(import.meta.dirname, '..');
const STATE = join(ROOT, '.local');

if (spawnSync('func', ['--version'], { stdio: 'ignore' }).error !== undefined) {
  console.error(
    'Azure Functions Core Tools (the command func) is not installed. Install it (https://aka.ms/azure-functions-core-tools), or use npm start, which does not need it.',
  );
  process.exit(1);
}

const { ports, folder } = await prepareStart(process.env, STATE).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
await bundle();
const cloud = await startCloud({ folder: folder.path, ports: ports.cloud });
const functionsUrl = `http://localhost:${ports.functions}`;
// Core Tools ask for no key on this machine.
const firstMail = {
  endpoint: `${functionsUrl}/api/mail`,
  functionKey: 'none',
  curl: toCurl({ functionsUrl, functionKey: 'none' }),
};
const inbox = await startInbox({ store: cloud.mails, port: ports.inbox, firstMail });
// So that `npm run mail` follows; Core Tools take any key.
await folder.announce({ url: functionsUrl, masterKey: 'none' });
console.log(`Inbox: ${inbox.url}\n\n${firstMail.curl}\n`);

const func = spawn('func', ['start', '--port', String(ports.functions)], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, ...cloud.environment, FUNCTIONS_WORKER_RUNTIME: 'node' },
});
// Ctrl-C reaches func as well; we end when it has.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => func.kill('SIGTERM'));
func.once('exit', async (code) => {
  await Promise.all([inbox.close(), cloud.close()]);
  await folder.release();
  process.exit(code ?? 0);
});
