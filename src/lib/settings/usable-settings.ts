import { AppError } from '../errors.ts';
import { type Environment, readSettings, type SettingName, type Settings } from './settings.ts';

/** The name of a setting at the beginning of what is wrong with it. */
const nameOf = (pointer: string): string => /^\w+/.exec(pointer)?.[0] ?? '';

/**
 * Settings for work that must be done whatever is wrong with some of them: one that is invalid counts as not set. Undefined where one of
 * them is needed and is not there.
 */
export const readUsable = <Name extends SettingName>(
  environment: Environment,
  names: readonly Name[],
): Pick<Settings, Name> | undefined => {
  try {
    return readSettings(environment, names);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const invalid = (error.facts.problems ?? []).map(({ pointer }) => nameOf(pointer));
    const usable = Object.entries(environment).filter(([name]) => !invalid.includes(name));
    // Without one that is needed there is one problem more, and nothing more to leave out.
    return usable.length < Object.keys(environment).length
      ? readUsable(Object.fromEntries(usable), names)
      : undefined;
  }
};
