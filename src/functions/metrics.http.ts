import type { HttpHandler } from '@azure/functions';
import { type MetricsNeeds, readMetrics } from '../lib/desk/read-metrics.ts';
import type { Log } from '../lib/log.ts';
import { CONTENT_TYPES, formatFor, metricsText } from '../lib/metrics/metrics-text.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/metrics: for scrapers of Prometheus */
export const metricsHttp =
  (needs: (log: Log) => MetricsNeeds, version: string): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const families = await readMetrics(needs(logTo(context)));
      const format = formatFor(request.headers.get('accept'));
      return {
        body: metricsText(families, format, version),
        headers: { 'content-type': CONTENT_TYPES[format], vary: 'accept' },
      };
    });
