import { expect, test } from 'vitest';
import { allowedFor, contoso, fabrikam } from '../../local/directory.ts';

const usual = contoso('a secret', new Date('2026-03-02T08:00:00Z'));

test.each([
  [{}, ['Mail.Send']],
  [{ MAIL_DELIVERY: 'standard', MAIL_LARGE_ATTACHMENTS: 'false' }, ['Mail.Send']],
  [{ MAIL_DELIVERY: 'exact' }, ['Mail.Send', 'Mail.ReadWrite']],
  [{ MAIL_LARGE_ATTACHMENTS: 'true' }, ['Mail.Send', 'Mail.ReadWrite']],
  [{ SECRET_ROTATION_DAYS: '30' }, ['Mail.Send', 'Application.ReadWrite.OwnedBy']],
])('a local relay with %o may do what its settings need: %j', (settings, roles) => {
  expect(allowedFor(settings)(usual).apps.map((app) => app.roles)).toEqual([roles, []]);
});

test('drafts are allowed in the neighboring tenant too', () => {
  const both = { ...usual, furtherTenants: [fabrikam('another secret', new Date('2026-03-02T08:00:00Z'))] };
  const allowed = allowedFor({ MAIL_DELIVERY: 'exact' })(both);
  expect(allowed.furtherTenants?.[0]?.apps[0]?.roles).toContain('Mail.ReadWrite');
});
