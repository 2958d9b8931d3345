import type { IncomingMessage } from 'node:http';
import { defined } from '../defined.ts';
import type { RangeReport, Upload } from '../ports.ts';
import { type MakeOneRequest, NeverConnected, notConnected } from './one-request.ts';

/** An answer has a few lines; more is some proxy's page. */
const MAX_TEXT = 64 * 1024;

/**
 * The upload of one file to the address of its session. The address has a token of its own in it: no `Authorization` header,
 * and it never leaves this object (graph: outlook-large-attachments).
 */
export const openUploadSession = (request: MakeOneRequest, url: string, timeoutMs: number): Upload => {
  const ask = async (
    method: string,
    headers: Record<string, string>,
    body?: Buffer,
  ): Promise<RangeReport> => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await toReport(await request({ url, method, headers, signal, ...defined({ body }) }));
    } catch (failure) {
      if (failure instanceof NeverConnected) return notConnected(failure);
      return { kind: 'lost', why: signal.aborted ? 'timeout' : 'connection' };
    }
  };
  return {
    put: (bytes, start, total) =>
      ask(
        'PUT',
        {
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(bytes.length),
          'Content-Range': `bytes ${start}-${start + bytes.length - 1}/${total}`,
        },
        bytes,
      ),
    ask: () => ask('GET', {}),
  };
};

const toReport = async (answer: IncomingMessage): Promise<RangeReport> => {
  const { statusCode: status = 0, headers } = answer;
  const text = await readText(answer);
  const retryAfter = headers['retry-after'];
  return { kind: 'answered', status, ...defined({ retryAfter }), ...readSession(text) };
};

const readText = async (answer: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length > MAX_TEXT) break;
    }
  } catch {
    // The status line has come, and it decides.
  }
  return Buffer.concat(parts).toString();
};

/**
 * Where the upload goes on, or why it does not. Outlook gives a bare number, `"0-"` at first, and names with a capital
 * at times (graph: uploadSession, outlook-large-attachments).
 */
export const readSession = (
  text: string,
): { readonly nextStart?: number; readonly upstreamCode?: string } => {
  try {
    const fields = new Map(
      Object.entries(JSON.parse(text) as object).map(([name, value]) => [
        name.toLowerCase(),
        value as unknown,
      ]),
    );
    const ranges = fields.get('nextexpectedranges');
    const [range] = Array.isArray(ranges) ? (ranges as readonly unknown[]) : [];
    const [, start] = /^(\d{1,12})(?:-\d*)?$/.exec(String(range)) ?? [];
    const { code } = (fields.get('error') ?? {}) as { readonly code?: unknown };
    return {
      ...(start === undefined ? {} : { nextStart: Number(start) }),
      ...(typeof code === 'string' && /^[\w.]{1,80}$/.test(code) ? { upstreamCode: code } : {}),
    };
  } catch {
    return {};
  }
};
