import type { HttpHandler } from '@azure/functions';
import type { SettingsReport } from '../lib/settings/settings-report.ts';

const NOT_STORED = { 'cache-control': 'no-store' };

/** GET /api/health: anonymous, so it says only that the app is up, and its version */
export const healthHttp =
  (version: string): HttpHandler =>
  async () => ({ jsonBody: { status: 'up', version }, headers: NOT_STORED });

/** GET /api/health/details: for operators, which settings are wrong, and which keep emails from their recipients */
export const healthDetailsHttp =
  (version: string, now: () => Date, report: () => SettingsReport): HttpHandler =>
  async () => ({
    jsonBody: { status: 'up', version, time: now().toISOString(), ...report() },
    headers: NOT_STORED,
  });
