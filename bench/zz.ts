import { buildRelay } from './app-folder.ts';
import { startBenchCloud, startBenchStorage } from './cloud.ts';
import { measureBlob } from './blob-memory.ts';
const appFolder = await buildRelay();
const cloud = await startBenchCloud(); const storage = await startBenchStorage(); await cloud.limit(false);
for (const bytes of [8_000_000, 30_000_000, 140_000_000]) {
  const t = Date.now();
  try { console.log(bytes, Math.round(await measureBlob(appFolder, { cloud, storage }, bytes) / 1e6), 'MB', Date.now() - t); } catch (e) { console.log(bytes, String(e).slice(0, 900)); }
}
await cloud.close(); await storage.close(); process.exit(0);
