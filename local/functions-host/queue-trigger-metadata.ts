import type { TypedData } from './core-types.ts';

export type TriggerMessage = {
  readonly id: string;
  readonly text: string;
  readonly dequeueCount: number;
  readonly popReceipt: string;
  readonly insertedOn: Date;
  readonly expiresOn: Date;
  readonly nextVisibleOn: Date;
};

/**
 * Binding data of a queue trigger. When the message is a JSON object, its top-level properties other than arrays are laid
 * over these values, names compared without case: a message with `id` or `dequeueCount` hides the real ones.
 * (ApplyBindingData of azure-functions-host; azure-functions-nodejs-library issue 459.)
 */
export function toTriggerMetadata(
  message: TriggerMessage,
  functionName: string,
  utcNow: Date,
  randomId: string,
): Record<string, TypedData> {
  const metadata = new Map<string, { name: string; data: TypedData }>();
  const set = (name: string, data: TypedData) => {
    const key = name.toLowerCase();
    metadata.set(key, { name: metadata.get(key)?.name ?? name, data });
  };

  set('QueueTrigger', { string: message.text });
  set('DequeueCount', { int: message.dequeueCount });
  set('ExpirationTime', { json: JSON.stringify(message.expiresOn) });
  set('Id', { string: message.id });
  set('InsertionTime', { json: JSON.stringify(message.insertedOn) });
  set('NextVisibleTime', { json: JSON.stringify(message.nextVisibleOn) });
  set('PopReceipt', { string: message.popReceipt });
  set('sys', { json: JSON.stringify({ MethodName: functionName, UtcNow: utcNow, RandGuid: randomId }) });
  for (const [name, value] of topLevelProperties(message.text)) set(name, value);
  return Object.fromEntries([...metadata.values()].map(({ name, data }) => [name, data]));
}

function* topLevelProperties(text: string): Generator<[string, TypedData]> {
  const parsed = parseObject(text);
  for (const [name, value] of Object.entries(parsed ?? {})) {
    if (value === null || Array.isArray(value)) continue;
    yield [
      name,
      typeof value === 'object' ? { json: JSON.stringify(value) } : { string: asDotNetText(value) },
    ];
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Scalars become text on the way: 5 is "5" and true is "True". */
function asDotNetText(value: unknown): string {
  if (value === true) return 'True';
  return value === false ? 'False' : String(value);
}
