import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Configuration } from './configuration.ts';
import type { ConfigurationProblem } from './configuration-problem.ts';
import { codeOf } from './spool/durable-file.ts';

/** What is at a path; undefined where a folder is that this user can write to. */
const faultOf = async (path: string): Promise<string | undefined> => {
  try {
    if (!(await stat(path)).isDirectory()) return 'a file';
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
};

/** The same for a folder that the door makes itself. */
const faultOfMade = async (path: string): Promise<string | undefined> => {
  const fault = await faultOf(path);
  const parent = dirname(path);
  return fault === 'ENOENT' && parent !== path ? faultOfMade(parent) : fault;
};

/** What is wrong with the folders of a configuration, for the user who asks. */
export const folderProblems = async ({
  spool,
  dropFolder,
}: Pick<Configuration, 'spool' | 'dropFolder'>): Promise<readonly ConfigurationProblem[]> => {
  const problems: ConfigurationProblem[] = [];
  const spoolFault = spool && (await faultOfMade(resolve(spool.folder)));
  if (spoolFault !== undefined)
    problems.push({
      at: 'spool.folder',
      expected: 'a folder that this user can write to, or one that it can make',
      received: spoolFault,
    });
  const dropFault = dropFolder && (await faultOf(resolve(dropFolder.folder)));
  if (dropFault !== undefined)
    problems.push({
      at: 'dropFolder.folder',
      expected: 'a folder that exists, and that this user can read and write to',
      received: dropFault,
    });
  return problems;
};
