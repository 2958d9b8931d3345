import type { SMTPServerDataStream } from 'smtp-server';
import type { MemoryBudget } from './memory-budget.ts';

/** A message as it was received; or what kept it from being whole. The bytes count in the budget until they are given back. */
export type Received =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-memory' }
  | { readonly kind: 'gone' };

/**
 * Reads a message to its end, also one that is refused: a client looks for the reply after its final dot alone. What is refused is
 * read and forgotten.
 */
export const receiveData = async (stream: SMTPServerDataStream, budget: MemoryBudget): Promise<Received> => {
  const chunks: Buffer[] = [];
  let held = 0;
  let hasRoom = true;
  const forget = (): void => {
    budget.giveBack(held);
    held = 0;
    chunks.length = 0;
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (stream.sizeExceeded) forget();
      else if (hasRoom && budget.take(chunk.length)) {
        held += chunk.length;
        chunks.push(chunk);
      } else if (hasRoom) {
        hasRoom = false;
        forget();
      }
    }
  } catch {
    // The client went away in the middle of the message, or was ended.
    forget();
    return { kind: 'gone' };
  }
  if (stream.sizeExceeded) {
    forget();
    return { kind: 'too-large' };
  }
  return hasRoom ? { kind: 'whole', bytes: Buffer.concat(chunks) } : { kind: 'no-memory' };
};
