import { expect, test } from 'vitest';
import { announce, announceDeliveries } from '../../../src/lib/delivery/announce.ts';
import { allOf, inCloudEvents } from '../../../src/lib/delivery/event-sinks.ts';
import type { CloudEvent } from '../../../src/lib/events/cloud-event.ts';
import { isUntold } from '../../../src/lib/ledger/ledger-row.ts';
import type { RelayEvent } from '../../../src/lib/ledger/relay-event.ts';
import { recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aCloudEvent, EVENTS, SOURCE } from '../../support/an-event.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const aSink = () => {
  const put: (RelayEvent | CloudEvent)[] = [];
  return { put: async (event: RelayEvent | CloudEvent) => void put.push(event), events: put };
};

test('the queue of events takes CloudEvents where those are wanted', async () => {
  const queue = aSink();
  await inCloudEvents(queue, SOURCE).put(EVENTS.mail);
  expect(queue.events).toEqual([aCloudEvent()]);
});

test('an event goes to every sink, and without any there is none', async () => {
  const [one, other] = [aSink(), aSink()];
  await allOf([one, other])?.put(EVENTS.mail);
  expect([one.events, other.events]).toEqual([[EVENTS.mail], [EVENTS.mail]]);
  expect(allOf([])).toBeUndefined();
});

test('a sink that fails keeps the event from none of the others, and leaves the email to be told of again', async () => {
  const { needs } = inMemoryPorts();
  const { rows } = aDelivery();
  const failing = { put: () => Promise.reject(new Error('full')) };
  const other = aSink();
  const events = allOf([failing, other]);
  const told = await announce({ ...needs, ...(events === undefined ? {} : { events }) }, rows.rejected);
  expect([isUntold(told), other.events.length]).toEqual([true, 1]);
});

test('what became of recipients is told once for those that got the email and once for those that did not', async () => {
  const { needs, announced } = inMemoryPorts();
  const row = recordSent(aDelivery().rows.sending, { at: NOW.toISOString(), outcome: 'accepted' }, NOW);
  const news = { source: 'trace', at: NOW.toISOString() } as const;
  await announceDeliveries(needs, row, [
    { ...news, recipient: 'a', status: 'delivered' },
    { ...news, recipient: 'b', status: 'failed' },
    { ...news, recipient: 'c', status: 'pending' },
  ]);
  expect(announced.map(({ eventType }) => eventType)).toEqual([
    'GraphMailRelay.Mail.Bounced',
    'GraphMailRelay.Mail.Delivered',
  ]);
});
