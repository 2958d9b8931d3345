import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MailChange, type MailStore, openMailStore } from '../../../local/inbox/mail-store.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import { aCapturedMail, person } from './captured-mails.ts';

const idsIn = (store: MailStore, query = {}) => store.list(query).mails.map(({ summary }) => summary.ID);

const ofRelay = (value: string) => ({ singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value }] });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mail-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ['in a folder', () => openMailStore({ folder })],
  ['in memory', () => openMailStore()],
])('a mail store %s', (_where, open) => {
  test('lists the newest arrival first, also within one millisecond', async () => {
    const store = await open();
    for (const id of ['m1', 'm3', 'm2']) await store.capture(aCapturedMail({ id }));
    expect(idsIn(store)).toEqual(['m2', 'm3', 'm1']);
  });

  test('gives a page of the list and counts all of it', async () => {
    const store = await open();
    for (const id of ['m1', 'm2', 'm3', 'm4']) await store.capture(aCapturedMail({ id }));
    await store.markRead(['m4'], true);
    expect(idsIn(store, { start: 1, limit: 2 })).toEqual(['m3', 'm2']);
    expect(store.list({ limit: 1 })).toMatchObject({ total: 4, matching: 4, unread: 3, matchingUnread: 3 });
  });

  test('gives a mail back as it was captured', async () => {
    const store = await open();
    const mail = aCapturedMail({ message: { subject: '薪資單' } });
    await store.capture(mail);
    expect(await store.find(mail.id)).toEqual(mail);
  });

  test('learns of the relay whose an email is and its tags, once, and leaves the rest as it was', async () => {
    const store = await open();
    const changes: MailChange[] = [];
    store.onChange((change) => changes.push(change));
    const mail = aCapturedMail({ id: 'm1', message: ofRelay('relay-1') });
    await store.capture(mail);
    await store.capture(aCapturedMail({ id: 'm2', message: ofRelay('relay-2') }));
    await store.markRead(['m1'], true);
    await store.describe('relay-1', { caller: 'payroll', tags: ['monthly'] });
    await store.describe('relay-1', { caller: 'other', tags: [] });
    await store.describe('unknown', { caller: 'other', tags: [] });
    expect(await store.find('m1')).toEqual({ ...mail, caller: 'payroll', tags: ['monthly'] });
    expect(store.list({ search: 'tag:monthly is:read' }).matching).toBe(1);
    expect(idsIn(store)).toEqual(['m2', 'm1']);
    expect(changes.filter(({ kind }) => kind === 'described')).toEqual([{ kind: 'described', ids: ['m1'] }]);
  });

  test('finds an email by the id of the relay too, the newest where it was sent twice', async () => {
    const store = await open();
    for (const id of ['m1', 'm2', 'm3'])
      await store.capture(aCapturedMail({ id, message: ofRelay(id === 'm3' ? 'relay-2' : 'relay-1') }));
    expect((await store.find('relay-1'))?.id).toBe('m2');
    expect(await store.find('relay-3')).toBeUndefined();
  });

  test('knows nothing under an id that was not captured', async () => {
    const store = await open();
    expect(await store.find('unknown')).toBeUndefined();
    expect(await store.find('../../etc/passwd')).toBeUndefined();
  });

  test('forgets what is removed, and says so', async () => {
    const store = await open();
    const changes: MailChange[] = [];
    for (const id of ['m1', 'm2', 'm3']) await store.capture(aCapturedMail({ id }));
    const unsubscribe = store.onChange((change) => changes.push(change));
    await store.remove(['m2', 'never-there', 'm2']);
    await store.clear();
    unsubscribe();
    await store.capture(aCapturedMail());
    expect(changes).toEqual([
      { kind: 'removed', ids: ['m2'] },
      { kind: 'removed', ids: ['m1', 'm3'] },
    ]);
    expect(await store.find('m1')).toBeUndefined();
  });

  test('tells of an arrival after it can be found, and of reading once', async () => {
    const store = await open();
    const seen: unknown[] = [];
    store.onChange(({ kind }) => seen.push([kind, idsIn(store)]));
    await store.capture(aCapturedMail({ id: 'm1' }));
    await store.markRead(['m1'], true);
    await store.markRead(['m1'], true);
    expect(seen).toEqual([
      ['captured', ['m1']],
      ['read', ['m1']],
    ]);
  });

  test.each(['../escape', 'a/b', 'a\\b', '..', '', 'con:aux', 'x'.repeat(200), 'nul\0'])(
    'refuses %j as the id of a mail',
    async (id) => {
      const store = await open();
      await expect(store.capture(aCapturedMail({ id }))).rejects.toThrow('id must match');
      expect(store.list().total).toBe(0);
    },
  );

  test('refuses a second mail under the same id, even at the same moment', async () => {
    const store = await open();
    const twice = [aCapturedMail({ id: 'm1' }), aCapturedMail({ id: 'm1' })].map(store.capture);
    const outcomes = await Promise.allSettled(twice);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a folder of mails', () => {
  test('has the same mails in the same order, with the same ones read, after a restart', async () => {
    const store = await openMailStore({ folder });
    for (const id of ['z', 'a', 'm']) await store.capture(aCapturedMail({ id }));
    await store.markRead(['a', 'm'], true);
    await store.markRead(['m'], false);

    const again = await openMailStore({ folder });
    await again.capture(aCapturedMail({ id: 'later' }));
    expect(again.list().mails.map(({ summary, isRead }) => [summary.ID, isRead])).toEqual([
      ['later', false],
      ['m', false],
      ['a', true],
      ['z', false],
    ]);
  });

  test('holds a mail for good once capture has resolved, even when the process is killed then', async () => {
    const script = `
      import { openMailStore } from ${JSON.stringify(new URL('../../../local/inbox/mail-store.ts', import.meta.url))};
      const store = await openMailStore({ folder: process.argv[1] });
      await store.capture(JSON.parse(process.argv[2]));
      process.kill(process.pid, 'SIGKILL');
    `;
    const mail = aCapturedMail();
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', script, folder, JSON.stringify(mail)],
      { stdio: 'inherit' },
    );
    await once(child, 'exit');
    expect(await (await openMailStore({ folder })).find(mail.id)).toEqual(mail);
  });

  test('keeps no file of a removed mail', async () => {
    const store = await openMailStore({ folder });
    await store.capture(aCapturedMail({ id: 'm1' }));
    await store.markRead(['m1'], true);
    await store.remove(['m1']);
    expect(await readdir(folder)).toEqual([]);
  });

  test('with a file that cannot be read shows the others, and reports it without quoting it', async () => {
    const store = await openMailStore({ folder });
    for (const id of ['m1', 'm2', 'm3', 'm4']) await store.capture(aCapturedMail({ id }));
    const whole = await readFile(path.join(folder, 'm1.json'), 'utf8');
    await writeFile(path.join(folder, 'm1.json'), whole.slice(0, 90));
    await writeFile(path.join(folder, 'm2.json'), '{"arrival":1,"mail":{"id":"m2"}}');
    await writeFile(path.join(folder, 'copy-of-m3.json'), await readFile(path.join(folder, 'm3.json')));
    await writeFile(
      path.join(folder, 'm4.json'),
      whole.replaceAll('m1', 'm4').replace(/"toRecipients":\[.*?\]/, '"toRecipients":7'),
    );

    const again = await openMailStore({ folder });
    expect(idsIn(again)).toEqual(['m3']);
    const reports = again.skipped.map(({ file, reason }) => [path.basename(file), reason]).sort();
    expect(reports).toEqual([
      ['copy-of-m3.json', 'contains an email with another id'],
      ['m1.json', 'is not complete JSON'],
      ['m2.json', 'is not a captured email'],
      ['m4.json', 'is not a captured email'],
    ]);
    expect(await readdir(folder)).toContain('m1.json');
  });

  test('drops what a killed process left half written', async () => {
    await writeFile(path.join(folder, 'm1.json.0b7c.tmp'), '{"arrival":0,"mail"');
    const store = await openMailStore({ folder });
    expect(store.skipped).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('the search', () => {
  const mails = [
    aCapturedMail({
      id: 'slip',
      message: {
        subject: '2 月薪資單',
        from: person('payroll@contoso.example', 'Payroll'),
        bccRecipients: [person('archive@contoso.example')],
        categories: ['Payroll'],
      },
    }),
    aCapturedMail({
      id: 'leave',
      message: {
        subject: 'Leave of Ada',
        body: {
          contentType: 'html',
          content: '<style>.hidden{}</style><p>Five&nbsp;days &amp; <b>a half</b></p>',
        },
      },
    }),
    aCapturedMail({
      id: 'alert',
      message: {
        subject: 'ALERT backup',
        toRecipients: [person('oncall@contoso.example')],
        body: { contentType: 'text', content: 'see http://srv-3/log' },
      },
    }),
  ];

  test.each([
    ['薪資', ['slip']],
    ['LEAVE', ['leave']],
    ['"days & a half"', ['leave']],
    ['hidden', []],
    ['ada', ['leave', 'slip']],
    ['to:ada subject:leave', ['leave']],
    ['from:payroll', ['slip']],
    ['bcc:archive', ['slip']],
    ['tag:payroll', ['slip']],
    ['-to:ada', ['alert']],
    ['!subject:"leave of"', ['alert', 'slip']],
    ['is:read', ['leave']],
    ['is:unread to:oncall', ['alert']],
    ['has:attachment', []],
    ['http://srv-3', ['alert']],
    ['to:', []],
    ['   ', ['alert', 'leave', 'slip']],
  ])('for %s finds %j', async (search, expected) => {
    const store = await openMailStore();
    for (const mail of mails) await store.capture(mail);
    await store.markRead(['leave'], true);
    expect(idsIn(store, { search })).toEqual(expected);
  });
});
