import { AppError } from '../errors.ts';
import type { MakeOneRequest } from '../graph/one-request.ts';

const PATIENCE_MS = 5000;

/** Reads the time by the clock of Entra, which it writes into every answer (RFC 9110, 6.6.1). Throws ENTRA_UNREACHABLE. */
export const makeReadServerTime =
  (request: MakeOneRequest) =>
  async ({
    authority,
    tenantId,
  }: {
    readonly authority: string;
    readonly tenantId: string;
  }): Promise<Date> => {
    const answer = await request({
      // The smallest of its documents that need no token; whether it is there makes no difference.
      url: `${authority}/${tenantId}/discovery/v2.0/keys`,
      method: 'GET',
      headers: {},
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((cause: unknown) => {
      throw new AppError('ENTRA_UNREACHABLE', { cause });
    });
    answer.destroy();
    const time = new Date(answer.headers.date ?? Number.NaN);
    if (Number.isNaN(time.getTime()))
      throw new AppError('ENTRA_UNREACHABLE', { detail: 'The response has no date.' });
    return time;
  };
