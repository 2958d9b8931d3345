import { AppError } from '../errors.ts';
import { problemsOfConnections } from './connections.ts';
import { type SafetySetting, safetyOn } from './safety-settings.ts';
import type { Settings } from './settings.ts';

/** What can be said of the settings without their values. */
export type SettingsReport = {
  /** Names of settings that are invalid: nothing is sent then, or nothing by the connections that are named. */
  readonly settingsInvalid: readonly string[];
  /** Names of settings that keep emails from their recipients. */
  readonly safetyOn: readonly SafetySetting[];
};

/** Reads the settings, and says what operators must know of them. Throws nothing that a setting can cause. */
export const reportSettings = (read: () => Settings): SettingsReport => {
  try {
    const settings = read();
    return {
      settingsInvalid: problemsOfConnections(settings).map(({ pointer }) => pointer),
      safetyOn: safetyOn(settings),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { settingsInvalid: (error.facts.problems ?? []).map(({ pointer }) => pointer), safetyOn: [] };
  }
};
