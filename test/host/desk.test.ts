import { afterAll, describe, expect, test } from 'vitest';
import { EVENT_QUEUE, HELD_CONTAINER } from '../../src/lib/storage/storage-connection.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { blobNames } from './blobs.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, SOON_LOST, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({
  // So that a message that met its mail while it was being sent comes back soon.
  ...SOON_LOST,
  settings: { ...SOON_LOST.settings, MAIL_EVENTS: 'queue' },
});
afterAll(() => relay.close());

/** A mail that Graph did not confirm and that is held. */
const heldMail = async (from: string, accept: boolean) => {
  const marker = newMarker();
  relay.cloud.graph.faults.add({
    on: 'sendMail',
    mailbox: from,
    fault: { kind: 'answer', status: 504, accept },
  });
  const { body } = await relay.send(canaryMail(marker, { from, onUnknown: 'hold' }));
  expect(body.state).toBe('unknown');
  return { marker, id: body.id };
};

const idsListed = async (): Promise<readonly string[]> => {
  const { body } = await relay.desk('/api/mail?state=held');
  return (body.mails as { readonly id: string }[]).map(({ id }) => id);
};

const eventsTold = async (mailId: string): Promise<readonly string[]> => {
  const { peekedMessageItems } = await relay.queueClient(EVENT_QUEUE).peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems
    .map(({ messageText }) => JSON.parse(messageText))
    .filter(({ data }) => data.mailId === mailId)
    .map(({ eventType }) => eventType);
};

describe.concurrent('the desk of held mails', () => {
  test('lists what is held, with the reason and what to do', async () => {
    const { id } = await heldMail('lane0@contoso.example', true);

    const { status, body } = await relay.desk('/api/mail?state=held');
    expect(status).toBe(200);
    expect(body.mails).toContainEqual(
      expect.objectContaining({
        id,
        state: 'held',
        reason: expect.objectContaining({
          code: 'OUTCOME_UNKNOWN',
          remedy: expect.stringContaining('replay'),
        }),
      }),
    );
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  test('a replay sends the mail once more, and doing it twice does no harm', async () => {
    const { id, marker } = await heldMail('lane1@contoso.example', false);
    const [first, second] = await Promise.all([
      relay.desk(`/api/mail/${id}/replay`, {}),
      relay.desk(`/api/mail/${id}/replay`, {}),
    ]);

    expect([202, 409]).toContain(first.status);
    expect([202, 409]).toContain(second.status);
    expect([first.status, second.status]).toContain(202);
    await relay.arrives(marker);
    await relay.reaches(id, 'sent');
    await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
    expect(await idsListed()).not.toContain(id);
    expect((await blobNames(relay, HELD_CONTAINER)).filter((name) => name.includes(id))).toEqual([]);
    const late = await relay.desk(`/api/mail/${id}/replay`, {});
    expect([late.status, late.body.code]).toEqual([409, 'MAIL_NOT_HELD']);
  });

  test('the caller sees the replayed mail under the id he was given', async () => {
    const { id } = await heldMail('lane2@contoso.example', false);
    await relay.desk(`/api/mail/${id}/replay`, {});

    await eventually(async () => expect((await relay.statusOf(id)).body.state).toBe('sent'));
  });

  test('a mail is closed with a note, and is listed no more', async () => {
    const { id } = await heldMail('lane3@contoso.example', true);
    const { status, body } = await relay.desk(`/api/mail/${id}/close`, { note: 'found in Sent Items' });

    expect(status).toBe(200);
    expect(body).toMatchObject({ id, state: 'closed', note: 'found in Sent Items' });
    expect(await idsListed()).not.toContain(id);
    expect((await blobNames(relay, HELD_CONTAINER)).filter((name) => name.includes(id))).toEqual([]);
    expect(await eventsTold(id)).toEqual(['GraphMailRelay.Mail.Held', 'GraphMailRelay.Mail.Closed']);
    const again = await relay.desk(`/api/mail/${id}/close`, { note: 'again' });
    expect([again.status, again.body.code]).toEqual([409, 'MAIL_NOT_HELD']);
  });

  test.each([
    ['no note', {}],
    ['an empty note', { note: '  ' }],
    ['a note of more than 500 characters', { note: 'n'.repeat(501) }],
  ])('a mail is not closed with %s', async (_case, body) => {
    const answer = await relay.desk('/api/mail/01890000-0000-7000-8000-000000000000/close', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'NOTE_MISSING']);
  });

  test.each([
    ['GET', '/api/mail?state=Sent', 400, 'QUERY_INVALID'],
    ['GET', '/api/mail?state=held&after=garbage', 400, 'QUERY_INVALID'],
    ['GET', '/api/mail?state=held&foo=', 400, 'QUERY_INVALID'],
    ['GET', '/api/mail?state=held&id=', 400, 'QUERY_INVALID'],
    ['GET', '/api/mail?id=01890000-0000-7000-8000-000000000000', 404, 'MAIL_NOT_FOUND'],
    ['GET', "/api/mail?id=' or 1 eq 1", 404, 'MAIL_NOT_FOUND'],
    ['POST', '/api/mail/01890000-0000-7000-8000-000000000000/replay', 404, 'MAIL_NOT_FOUND'],
  ])('%s %s answers %i %s', async (method, path, status, code) => {
    const answer = await relay.call(method, path, { key: KEYS.masterKey });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test.each(['replay', 'close'])('%s needs the master key', async (action) => {
    const path = `/api/mail/01890000-0000-7000-8000-000000000000/${action}`;
    expect((await relay.call('POST', path, { key: KEYS.functionKey })).status).toBe(401);
  });
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
