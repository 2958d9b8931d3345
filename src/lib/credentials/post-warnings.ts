import { defined } from '../defined.ts';
import type { Ports, WebhookReport } from '../ports.ts';

export type PostNeeds = Pick<Ports, 'clock' | 'log' | 'webhook'>;

/** Before the second and the third try. */
const WAITS_MS = [1000, 5000] as const;

const isReached = (report: WebhookReport): boolean =>
  report.kind === 'answered' && report.status >= 200 && report.status < 300;

/** What can be different a moment later. Another answer says that the address is wrong or no longer valid. */
const isWorthAnother = (report: WebhookReport): boolean =>
  report.kind === 'failed' || report.status === 408 || report.status === 429 || report.status >= 500;

/** Posts to the webhook, three times at most; says whether it was accepted. An answer that was lost can lead to a second message. */
export const postWarnings = async ({ webhook, clock, log }: PostNeeds, json: string): Promise<boolean> => {
  if (webhook === undefined) return false;
  let report = await webhook.post(json);
  for (const wait of WAITS_MS) {
    if (isReached(report) || !isWorthAnother(report)) break;
    await clock.sleep(wait);
    report = await webhook.post(json);
  }
  if (isReached(report)) return true;
  log({
    event: 'WarningChannelFailed',
    channel: 'webhook',
    ...(report.kind === 'answered' ? defined({ status: report.status }) : defined({ name: report.reason })),
  });
  return false;
};
