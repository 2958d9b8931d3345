import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM_FOLDERS = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'];

const WELL_KNOWN_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/snap/bin/chromium',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ...PROGRAM_FOLDERS.flatMap((name) => {
    const folder = process.env[name];
    if (folder === undefined) return [];
    return [
      path.join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      path.join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ];
  }),
];

export const NO_BROWSER =
  'No Chromium, Chrome or Edge was found, so the page was not looked at. Install one, or set CHROMIUM_PATH to its program.';

/** The browser of this machine; undefined when there is none. */
export function findBrowser(): string | undefined {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen === undefined || chosen === '') return WELL_KNOWN_PLACES.find((place) => existsSync(place));
  if (existsSync(chosen)) return chosen;
  throw new Error(`CHROMIUM_PATH names a browser that is not there: ${chosen}`);
}

export const launchBrowser = (executablePath: string): Promise<Browser> =>
  // Without a locale of UTF-8 Chromium saves no file whose name is not ASCII.
  chromium.launch({ executablePath, env: { ...process.env, LC_ALL: 'C.UTF-8' } });
