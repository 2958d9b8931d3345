import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import packageJson from '../package.json' with { type: 'json' };
import { packFolder } from './pack-folder.ts';
import { toNotices } from './third-party-notices.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE = 'mail-relay.mjs';
const OLDEST_NODE = 20;

/**
 * It must run on whatever Node there is until it has said what it needs: so it is CommonJS inside a module that imports nothing but
 * `require`, in the syntax of Node 14. A name that an older Node lacks is then undefined, and no error of the loader.
 */
const HEAD = `#!/usr/bin/env node
import { createRequire } from 'module';
const require = createRequire(import.meta.url);
if (Number(process.versions.node.split('.')[0]) < ${OLDEST_NODE}) {
  console.error('Expected Node.js ${OLDEST_NODE} or later, received ' + process.versions.node + '. Install a newer one: https://nodejs.org');
  process.exit(2);
}
`;

export type CommandFile = {
  /** One file, to be run by Node wherever it is. */
  readonly file: string;
  /** The same as a package, for npx and npm install --global. */
  readonly tarball: string;
};

/** Puts the commands for operators into one file without dependencies, and into a package. */
export const makeCommandFile = async (folder: string): Promise<CommandFile> => {
  const packed = join(folder, 'command');
  await rm(packed, { recursive: true, force: true });
  await mkdir(packed, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'scripts/mail-relay.ts')],
    outfile: join(packed, FILE),
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node14',
    format: 'cjs',
    banner: { js: HEAD },
    minifySyntax: true,
    legalComments: 'none',
    // Undefined there: relay-call.ts knows.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
    metafile: true,
    plugins: [
      {
        name: 'no-top-level-await',
        // CommonJS has none. Nothing waits for the end of a command but Node.
        setup: ({ onLoad }) =>
          onLoad({ filter: /[\\/]scripts[\\/](?:mail|doctor|callers)\.ts$/ }, async ({ path }) => ({
            loader: 'ts',
            contents: (await readFile(path, 'utf8')).replace(/^await runCommand\(/m, 'void runCommand('),
          })),
      },
    ],
  });
  await chmod(join(packed, FILE), 0o755);
  await writeFile(
    join(packed, 'THIRD-PARTY-NOTICES.txt'),
    await toNotices(ROOT, Object.keys(metafile.inputs)),
  );
  await copyFile(join(ROOT, 'LICENSE'), join(packed, 'LICENSE'));
  await writeFile(join(packed, 'README.md'), README);
  await writeFile(join(packed, 'package.json'), `${JSON.stringify(packageOfCommand(), null, 2)}\n`);
  const file = join(folder, FILE);
  await copyFile(join(packed, FILE), file);
  return { file, tarball: await packFolder(packed, folder, 'mail-relay.tgz') };
};

const packageOfCommand = () => ({
  name: `${packageJson.name}-command`,
  version: packageJson.version,
  description:
    'Finds emails of the Graph Mail Relay and decides on held ones, checks it, and manages its callers.',
  license: packageJson.license,
  type: 'module',
  bin: { 'mail-relay': FILE },
  engines: { node: `>=${OLDEST_NODE}` },
});

const README = `# mail-relay

The commands for operators of the Graph Mail Relay in one file: \`mail-relay mail\`, \`mail-relay doctor\` and \`mail-relay callers\`. They need
the address and the master key of the relay in the environment variables MAIL_RELAY_URL and MAIL_RELAY_MASTER_KEY. \`mail-relay --help\`
says more.
`;
