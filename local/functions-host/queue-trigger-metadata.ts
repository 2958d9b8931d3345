import { jsonProperties, toBindingData } from './binding-data.ts';
import type { TypedData } from './core-types.ts';

export type TriggerMessage = {
  readonly text: string;
  readonly dequeueCount: number;
  /** Absent where somebody runs the function by hand: there is no message behind it. */
  readonly id?: string;
  readonly popReceipt?: string;
  readonly insertedOn: Date;
  readonly expiresOn: Date;
  readonly nextVisibleOn: Date;
};

/**
 * Binding data of a queue trigger. When the message is a JSON object, its top-level properties are laid over these values: a
 * message with `id` or `dequeueCount` hides the real ones.
 */
export const toTriggerMetadata = ({
  id,
  popReceipt,
  ...message
}: TriggerMessage): Record<string, TypedData> =>
  toBindingData([
    ['QueueTrigger', { string: message.text }],
    ['DequeueCount', { int: message.dequeueCount }],
    ['ExpirationTime', { json: JSON.stringify(message.expiresOn) }],
    ...given('Id', id),
    ['InsertionTime', { json: JSON.stringify(message.insertedOn) }],
    ['NextVisibleTime', { json: JSON.stringify(message.nextVisibleOn) }],
    ...given('PopReceipt', popReceipt),
    ...jsonProperties(message.text),
  ]);

const given = (name: string, value: string | undefined): [string, TypedData][] =>
  value === undefined ? [] : [[name, { string: value }]];
