import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { findBrowser, launchBrowser } from './browser.ts';

export const LAPTOP = { viewport: { width: 1366, height: 800 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** One browser for the tests of a file, and in it one page for each device: a new page costs a process, and half a second of it. */
export const keptPages = () => {
  const executable = findBrowser();
  const pages = new Map<string, Page>();
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (executable !== undefined) browser = await launchBrowser(executable);
  });
  afterAll(() => browser?.close());
  return {
    isThere: executable !== undefined,
    /** The page of this device, at an address. The servers of a test have ports of their own, so nothing of an earlier test is kept. */
    open: async (url: string, device: BrowserContextOptions = LAPTOP): Promise<Page> => {
      if (browser === undefined) throw new Error('There is no browser: the test must be skipped.');
      const key = JSON.stringify(device);
      const page = pages.get(key) ?? (await (await browser.newContext(device)).newPage());
      pages.set(key, page);
      await page.goto(url);
      return page;
    },
    /** Leaves the servers of a test. */
    leave: async (): Promise<void> => {
      for (const page of pages.values()) {
        page.removeAllListeners();
        await page.goto('about:blank');
      }
    },
  };
};
