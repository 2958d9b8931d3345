import { createCoreApi, createRegistrations } from '../local/functions-host/core-api.ts';
import { loadApp } from '../local/functions-host/load-app.ts';

/** Loads a built app as the Functions worker does, and says which functions it registers. Sorted by code unit. */
export const readFunctionNames = async (appFolder: string): Promise<readonly string[]> => {
  const registrations = createRegistrations();
  const core = createCoreApi(registrations, () => {});
  const app = await loadApp(appFolder, core, registrations);
  app.unload();
  return [...registrations.functions.values()].map(({ metadata }) => metadata.name).sort();
};
