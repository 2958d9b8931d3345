import { expect, test } from 'vitest';
import { mayBeSent } from '../../../src/lib/desk/may-be-sent.ts';
import { catalogue } from '../../../src/lib/error-catalogue.ts';

type Asked = Pick<Parameters<typeof mayBeSent>[0], 'timeline' | 'state'> & {
  readonly reason: { readonly code: string };
};

const PAGE_FILE = new URL('../../../src/lib/inbox/page/may-be-sent.js', import.meta.url).href;

test('the inbox page doubts whether a held email was sent where the operator page does', async () => {
  const { mayBeSent: saysThePage } = (await import(PAGE_FILE)) as {
    readonly mayBeSent: (mail: Asked) => boolean;
  };
  const at = '2026-03-02T08:00:00.000Z';
  const asked = Object.keys(catalogue).flatMap((code) =>
    [[], ['attempt unknown'], ['attempt unknown', 'attempt not-sent'], ['attempt unknown', 'held']].map(
      (events): Asked => ({
        state: 'held',
        reason: { code },
        timeline: events.map((event) => ({ at, event })),
      }),
    ),
  );
  const answers = asked.map((mail) => saysThePage(mail));
  expect(new Set(answers)).toEqual(new Set([true, false]));
  expect(answers).toEqual(asked.map((mail) => mayBeSent(mail as unknown as Parameters<typeof mayBeSent>[0])));
});
