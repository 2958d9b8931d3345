import { findTakenPorts, type Ports, PortsWrongError, readPorts } from './ports.ts';
import { type LocalSettings, readLocalSettings } from './relay-settings.ts';
import { FolderInUseError, openStateFolder, type StateFolder } from './state-folder.ts';

export type Prepared = {
  readonly ports: Ports;
  readonly folder: StateFolder;
  readonly settings: LocalSettings['settings'];
  readonly remarks: LocalSettings['remarks'];
};

/** Looks at settings, ports and folder before anything is started, and tells all that is wrong at once. */
export const prepareStart = async (environment: NodeJS.ProcessEnv, path: string): Promise<Prepared> => {
  const { settings, problems, remarks } = readLocalSettings(environment);
  const found = [...problems];
  const ports = await orProblem(async () => readPorts(environment), found);
  const folder = await orProblem(() => openStateFolder(path, new Date()), found);
  // Another relay's ports are no news where its folder is.
  if (ports !== undefined && folder !== undefined) found.push(...(await findTakenPorts(environment)));
  if (ports !== undefined && folder !== undefined && found.length === 0)
    return { ports, folder, settings, remarks };
  await folder?.release();
  throw new Error(found.join('\n'));
};

const orProblem = async <T>(work: () => Promise<T>, found: string[]): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FolderInUseError || error instanceof PortsWrongError)) throw error;
    found.push(error.message);
    return undefined;
  }
};
