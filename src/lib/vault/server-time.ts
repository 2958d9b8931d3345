import { AppError } from '../errors.ts';

const PATIENCE_MS = 5000;

/** The time by the clock of Entra, which it writes into every answer (RFC 9110, 6.6.1). Throws ENTRA_UNREACHABLE. */
export const readServerTime = async ({
  authority,
  tenantId,
}: {
  readonly authority: string;
  readonly tenantId: string;
}): Promise<Date> => {
  // The smallest of its documents that need no token; whether it is there makes no difference.
  const response = await fetch(`${authority}/${tenantId}/discovery/v2.0/keys`, {
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch((cause: unknown) => {
    throw new AppError('ENTRA_UNREACHABLE', { cause });
  });
  await response.body?.cancel();
  const time = new Date(response.headers.get('date') ?? Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new AppError('ENTRA_UNREACHABLE', { detail: 'The response has no date.' });
  return time;
};
