import type { HttpRequest } from '@azure/functions';
import { AppError } from '../lib/errors.ts';

/**
 * How long a request has to arrive: 100 MB at 7 Mbit/s. Until then it holds memory that others wait for; one that never ended
 * would hold it until the host ends the process. Azure ends a request after 230 s.
 */
const ARRIVES_WITHIN_MS = 120_000;

/** When a request that begins now is too late. */
export const arrivalDeadline = (): AbortSignal => AbortSignal.timeout(ARRIVES_WITHIN_MS);

/** The body as it arrives. Leaving the loop early cancels it. Throws REQUEST_TOO_SLOW at the deadline, and what the stream throws. */
export async function* chunksOf(
  body: HttpRequest['body'],
  deadline: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  // Nobody hears of it where the body has ended before.
  late.promise.catch(() => undefined);
  const giveUp = () => late.reject(new AppError('REQUEST_TOO_SLOW'));
  if (deadline.aborted) giveUp();
  else deadline.addEventListener('abort', giveUp, { once: true });
  try {
    for (;;) {
      const { done, value } = await Promise.race([late.promise, reader.read()]);
      if (done) return;
      yield value as Uint8Array;
    }
  } finally {
    deadline.removeEventListener('abort', giveUp);
    reader.cancel().catch(() => undefined);
  }
}
