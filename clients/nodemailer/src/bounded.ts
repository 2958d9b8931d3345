/**
 * Ends work after so long or when the signal says so, also if the work does not listen to the signal: a function of the application may not. The
 * timer keeps the process, which would otherwise end without an outcome.
 */
export const bounded = async <Result>(
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  work: (end: AbortSignal) => Promise<Result>,
): Promise<Result> => {
  const ended = new AbortController();
  const cancel = () => ended.abort(signal?.reason);
  const timer = setTimeout(
    () => ended.abort(new DOMException('It took too long.', 'TimeoutError')),
    timeoutMs,
  );
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted) cancel();
  try {
    return await Promise.race([
      work(ended.signal),
      new Promise<never>((_, reject) => {
        if (ended.signal.aborted) reject(ended.signal.reason);
        ended.signal.addEventListener('abort', () => reject(ended.signal.reason));
      }),
    ]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
};
