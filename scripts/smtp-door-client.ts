import { chmod, copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { toNotices } from './third-party-notices.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'clients/smtp-door');
const FILE = 'smtp-door.mjs';

/** What SQLite in Node needs: the first version that has it without an option. */
const OLDEST_NODE = '22.13';

/**
 * It must run on whatever Node there is until it has said what it needs: so it is CommonJS inside a module that imports nothing but
 * `require`, and asks for SQLite only where the spool does.
 */
const HEAD = `#!/usr/bin/env node
import { createRequire } from 'module';
const require = createRequire(import.meta.url);
const PROGRAM = import.meta.url;
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error('Expected Node.js ${OLDEST_NODE} or later, received ' + process.versions.node + '. Install a newer one: https://nodejs.org');
  process.exit(2);
}
`;

/** Puts the SMTP door into one file without dependencies, beside what runs it: a container file and a unit of systemd. */
export const makeSmtpDoor = async (folder: string): Promise<string> => {
  const packed = join(folder, 'smtp-door');
  await rm(packed, { recursive: true, force: true });
  await mkdir(packed, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(SOURCE, 'src/main.ts')],
    outfile: join(packed, FILE),
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    banner: { js: HEAD },
    define: { 'import.meta.url': 'PROGRAM' },
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  await chmod(join(packed, FILE), 0o755);
  const notices = await toNotices(ROOT, Object.keys(metafile.inputs));
  await writeFile(
    join(packed, 'THIRD-PARTY-NOTICES.txt'),
    notices.replace(/^The relay contains/, 'The SMTP door contains'),
  );
  await copyFile(join(ROOT, 'LICENSE'), join(packed, 'LICENSE'));
  for (const name of ['README.md', 'Dockerfile', 'systemd', 'examples'])
    await cp(join(SOURCE, name), join(packed, name), { recursive: true });
  return join(packed, FILE);
};
