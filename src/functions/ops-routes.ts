import { v4 as newUuid } from 'uuid';
import { readCallersToday } from '../lib/desk/callers-today.ts';
import { requireNote } from '../lib/desk/closing-note.ts';
import { readHeldContent } from '../lib/desk/held-content.ts';
import { listHeld } from '../lib/desk/list-held.ts';
import { findMail } from '../lib/desk/mail-status.ts';
import type { Operator } from '../lib/desk/operator.ts';
import { beginAct, codeOf, decideMails, finishAct, requireOperate } from '../lib/desk/operator-acts.ts';
import type { OpsNeeds } from '../lib/desk/ops-needs.ts';
import { readOverview } from '../lib/desk/ops-overview.ts';
import { showMail } from '../lib/desk/show-mail.ts';
import { toldDeliveries } from '../lib/desk/told-deliveries.ts';
import { traceMail } from '../lib/desk/trace-mail.ts';
import { AppError } from '../lib/errors.ts';
import { isBounced } from '../lib/ledger/ledger-row.ts';
import { isActId } from '../lib/ledger/operator-act.ts';
import { isAddress } from '../lib/mail/address.ts';
import { callersPage } from '../lib/ops/callers-page.ts';
import { heldPage } from '../lib/ops/held-page.ts';
import type { Page } from '../lib/ops/layout.ts';
import { mailPage, type OneMail } from '../lib/ops/mail-page.ts';
import { mailboxesPage } from '../lib/ops/mailboxes-page.ts';
import { overviewPage } from '../lib/ops/overview-page.ts';
import { queueCharts } from '../lib/ops/queue-charts.ts';
import { testPage } from '../lib/ops/test-page.ts';
import { resultPage, trailPage } from '../lib/ops/trail-page.ts';
import { mailPath, pathOf, type View } from '../lib/ops/view.ts';
import { readHeldToken, toHeldToken } from './desk-query.ts';
import type { OpsAnswer } from './ops-answer.ts';
import { openSearch, readSearchAddress, showSearch } from './ops-search.ts';

const shown = (page: Page): OpsAnswer => ({ kind: 'page', page });

const gone = (to: string): OpsAnswer => ({ kind: 'go', to });

const RESULT = /^done\/([^/]+)$/;
const MAIL = /^mail\/([^/]+)$/;
const MAIL_ACTION = /^mail\/([^/]+)\/(open|trace)$/;

/** The page at a path. Throws PAGE_NOT_FOUND, and what its use case throws. */
export const showPage = async (
  needs: OpsNeeds,
  view: View,
  path: string,
  query: URLSearchParams,
): Promise<OpsAnswer> => {
  const after = query.get('after') ?? undefined;
  switch (path) {
    case '': {
      const [overview, samples] = await Promise.all([
        readOverview(needs.overview, query.get('check') === 'now'),
        // The charts are beside what an operator needs first.
        needs.samples?.lastDay(view.now).catch(() => []) ?? [],
      ]);
      return shown(overviewPage(view, overview, queueCharts(view, samples, overview.queues)));
    }
    case 'mail':
      // Without a field it is the form alone, as after "Clear".
      return showSearch(needs, view, readSearchAddress(query));
    case 'held': {
      const page = await listHeld(needs, after === undefined ? undefined : readHeldToken(after));
      return shown(heldPage(view, page, page.next === undefined ? undefined : toHeldToken(page.next)));
    }
    case 'callers':
      return shown(callersPage(view, await readCallersToday(needs)));
    case 'mailboxes': {
      const newest = await needs.samples?.newest();
      return shown(mailboxesPage(view, newest?.mailboxes, newest?.at));
    }
    case 'trail':
      if (after !== undefined && !isActId(after)) throw new AppError('PAGE_NOT_FOUND');
      return shown(trailPage(view, await needs.operatorTrail.list(after)));
    case 'test':
      return shown(testPage(view, newUuid()));
  }
  const result = RESULT.exec(path)?.[1];
  if (result !== undefined) {
    const act = isActId(result) ? await needs.operatorTrail.find(result) : undefined;
    if (act === undefined) throw new AppError('PAGE_NOT_FOUND');
    return shown(resultPage(view, act));
  }
  const mailId = MAIL.exec(path)?.[1];
  if (mailId !== undefined) return shown(mailPage(view, await readOne(needs, mailId)));
  throw new AppError('PAGE_NOT_FOUND');
};

const readOne = async (needs: OpsNeeds, mailId: string): Promise<OneMail> => {
  const mail = await showMail(needs, mailId);
  const [{ row }, acts] = await Promise.all([
    findMail(needs, mail.id),
    // The email is worth more than who looked at it.
    needs.operatorTrail.ofMail(mail.id).catch(() => []),
  ]);
  return {
    mail,
    acts,
    deliveries: toldDeliveries(row).deliveries ?? [],
    isBounced: isBounced(row),
    canTrace: needs.traces !== undefined,
  };
};

/** Does what a form asks for. Throws PAGE_NOT_FOUND, OPERATOR_READ_ONLY, FORM_INVALID, and what its use case throws. */
export const openForm = async (
  needs: OpsNeeds,
  view: View,
  path: string,
  fields: URLSearchParams,
): Promise<OpsAnswer> => {
  const { operator } = view;
  if (operator === undefined) throw new AppError('PAGE_NOT_FOUND');
  // It changes nothing.
  if (path === 'mail') return openSearch(needs, view, fields);
  requireOperate(operator);
  if (path === 'decide') {
    const ids = fields.getAll(fields.get('all') === 'yes' ? 'listed' : 'id');
    const { id } = await decideMails(needs, operator, readDecision(fields), ids);
    return gone(pathOf(view, `done/${id}`));
  }
  if (path === 'test') return sendTest(needs, view, fields);
  const [, mailId = '', action] = MAIL_ACTION.exec(path) ?? [];
  if (action === 'trace') return trace(needs, view, operator, mailId);
  if (action !== 'open') throw new AppError('PAGE_NOT_FOUND');
  const one = await readOne(needs, mailId);
  const act = await beginAct(needs, operator, 'open', { mailIds: [one.mail.id] });
  const content = await readHeldContent(needs, one.mail.id);
  const done = { ...act, mails: [{ mailId: one.mail.id, outcome: 'done' as const }] };
  await finishAct(needs, done);
  // Not by a redirect: what is shown here has no address, and stays in no history.
  return shown(mailPage(view, { ...one, acts: [done, ...one.acts], content }));
};

/** Asks Exchange what became of an email; what is known then is on its page. */
const trace = async (needs: OpsNeeds, view: View, operator: Operator, mailId: string): Promise<OpsAnswer> => {
  const { row } = await findMail(needs, mailId);
  const mails = [{ mailId: row.facts.mailId }];
  const act = await beginAct(needs, operator, 'trace', { mailIds: mails.map((one) => one.mailId) });
  const { reason } = await traceMail(needs, row.facts.mailId, 'operator');
  const outcome = reason?.code ?? 'done';
  await finishAct(needs, { ...act, mails: mails.map((one) => ({ ...one, outcome })) });
  return gone(mailPath(view, row.facts.mailId));
};

const readDecision = (fields: URLSearchParams) => {
  const action = fields.get('action');
  if (action === 'replay') return { action } as const;
  if (action === 'close') return { action, note: requireNote(fields.get('note') ?? '') } as const;
  throw new AppError('FORM_INVALID', { detail: 'Expected the action replay or close, received another.' });
};

const sendTest = async (needs: OpsNeeds, view: View, fields: URLSearchParams): Promise<OpsAnswer> => {
  const { operator } = view;
  if (operator === undefined) throw new AppError('PAGE_NOT_FOUND');
  const to = (fields.get('to') ?? '').trim();
  const from = (fields.get('from') ?? '').trim();
  if (!isAddress(to) || (from !== '' && !isAddress(from)))
    throw new AppError('FORM_INVALID', {
      detail: 'Expected one address in To, and one or nothing in From, received something else.',
    });
  const act = await beginAct(needs, operator, 'test');
  try {
    const { id } = await needs.sendTestMail({
      to,
      ...(from === '' ? {} : { from }),
      // The same form sent twice is one email.
      idempotencyKey: `ops-test-${(fields.get('key') ?? act.id).slice(0, 60)}`,
    });
    await finishAct(needs, { ...act, mails: [{ mailId: id, outcome: 'done' }] });
    return gone(mailPath(view, id));
  } catch (error) {
    await finishAct(needs, { ...act, failed: codeOf(needs, error) });
    throw error;
  }
};
