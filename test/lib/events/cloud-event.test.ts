import { CloudEvent, HTTP } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { sourceOf, toCloudEvent } from '../../../src/lib/events/cloud-event.ts';
import { bodyOf, headersOf } from '../../../src/lib/events/webhook-signature.ts';
import { aCloudEvent, EVENTS, SOURCE } from '../../support/an-event.ts';
import { NOW } from '../../support/in-memory-ports.ts';

describe.each(Object.entries(EVENTS))('the event of a %s', (_what, event) => {
  test('is a valid CloudEvent by the SDK of CloudEvents, read strictly', () => {
    const read = new CloudEvent(JSON.parse(bodyOf(toCloudEvent(event, SOURCE))));
    expect(read.validate()).toBe(true);
    expect(read.toJSON()).toEqual(aCloudEvent(event));
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
  expect(HTTP.isEvent({ headers, body })).toBe(true);
  expect(HTTP.toEvent({ headers, body })).toMatchObject({ id: EVENTS.mail.id, type: EVENTS.mail.eventType });
});

test('the source is a reference also where the name of the app is none', () => {
  expect(sourceOf('a relay')).toBe('/graph-mail-relay/a%20relay');
});
