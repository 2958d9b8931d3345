import { describe, expect, test } from 'vitest';
import { sourceOf, toCloudEvent } from '../../../src/lib/events/cloud-event.ts';
import { bodyOf, headersOf } from '../../../src/lib/events/webhook-signature.ts';
import { aCloudEvent, EVENTS, SOURCE } from '../../support/an-event.ts';
import { cloudEventFaults } from '../../support/cloud-events-schema.ts';
import { NOW } from '../../support/in-memory-ports.ts';

describe.each(Object.entries(EVENTS))('the event of a %s', (_what, event) => {
  test('is a valid CloudEvent', () => {
    const read = JSON.parse(bodyOf(toCloudEvent(event, SOURCE)));
    expect(cloudEventFaults(read)).toEqual([]);
    expect(read).toEqual(aCloudEvent(event));
  });

  test('has the same id, type, subject, time and data as in the schema of Event Grid', () => {
    const { id, type, subject, time, data } = aCloudEvent(event);
    expect({ id, eventType: type, subject, eventTime: time, dataVersion: '1', data }).toEqual(event);
  });

  test('has an id without a full stop, which would end it where a webhook is signed', () => {
    expect(event.id).toMatch(/^[\w/-]+$/);
  });
});

test('a webhook is a request in the structured mode of CloudEvents', () => {
  const body = bodyOf(aCloudEvent());
  const headers = headersOf({ id: 'one', body }, [Buffer.alloc(32)], NOW);
  expect(headers['content-type']).toMatch(/^application\/cloudevents\+json(?:;|$)/);
  expect(cloudEventFaults(JSON.parse(body))).toEqual([]);
});

test('the source is a reference also where the name of the app is none', () => {
  expect(sourceOf('a relay')).toBe('/graph-mail-relay/a%20relay');
});
