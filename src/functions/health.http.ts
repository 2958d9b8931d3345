import type { HttpHandler } from '@azure/functions';

/** GET /api/health: anonymous, so it says only that the app is up, and its version */
export const healthHttp =
  (version: string): HttpHandler =>
  async () => ({ jsonBody: { status: 'up', version }, headers: { 'cache-control': 'no-store' } });
