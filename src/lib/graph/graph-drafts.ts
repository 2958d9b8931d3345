import { defined } from '../defined.ts';
import type { DraftFound, Drafts } from '../ports.ts';
import { RELAY_ID_PROPERTY } from '../sending/json-message.ts';
import type { Sighting } from '../sending/look-up-plan.ts';
import { sightingWithout, withProperty } from './find-in-mailbox.ts';
import type { GraphCall, GraphRequest } from './graph-call.ts';
import { pathOfMailbox } from './mailbox-path.ts';
import { messageIdOf } from './message-id.ts';
import type { MakeOneRequest } from './one-request.ts';
import { type GraphReport, reportCall } from './report-call.ts';
import { isUploadAddress } from './upload-address.ts';
import { openUploadSession, readSession } from './upload-session.ts';

export type DraftOptions = {
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly now: () => Date;
};

/** The answer to a new draft repeats its body, in JSON that can escape every character. */
const MAX_DRAFT_TEXT = 32_000_000;
/** A list has ids and times; the sweep goes on an hour later with what did not fit. */
const MAX_LISTED = 100;
const MAX_LIST_TEXT = 1_000_000;

/** Drafts in the mailboxes of this connection's tenant, which therefore needs no route. */
export type TenantDrafts = Omit<Drafts, 'look' | 'remove'> & {
  readonly look: (mailbox: string, draftId: string) => Promise<Sighting>;
  readonly remove: (mailbox: string, draftId: string) => ReturnType<Drafts['remove']>;
};

const IS_ID = /^[\w+/=-]{1,1000}$/;

const json = (value: object) => ({
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(value)),
});

/**
 * Drafts of a mailbox (Mail.ReadWrite). Every request asks for immutable ids: only such a one is also the id of the copy in
 * Sent Items (graph: outlook-immutable-id).
 */
export const openGraphDrafts = (
  call: GraphCall,
  upload: MakeOneRequest,
  { endpoint, timeoutMs, now }: DraftOptions,
): TenantDrafts => {
  const ask = (request: GraphRequest): Promise<GraphReport> =>
    reportCall(call, { ...request, immutableIds: true });
  const pathOf = (mailbox: string, draftId: string): string =>
    `${pathOfMailbox(mailbox)}/messages/${encodeURIComponent(draftId)}`;
  const list = async (mailbox: string, query: string): Promise<readonly DraftFound[] | undefined> => {
    const path = `${pathOfMailbox(mailbox)}/mailFolders/drafts/messages?${query}&$top=${MAX_LISTED}`;
    const report = await ask({ method: 'GET', path, readUpTo: MAX_LIST_TEXT });
    return report.kind === 'answered' && report.status === 200 ? draftsIn(report.text) : undefined;
  };

  return {
    create: async (mailbox, { contentType, body }) => {
      const path = `${pathOfMailbox(mailbox)}/messages`;
      const report = await ask({ method: 'POST', path, contentType, body, readUpTo: MAX_DRAFT_TEXT });
      const draft = isAnswered(report, 201) ? draftIn(report.text) : undefined;
      return { report, ...defined({ draft }) };
    },
    mark: (mailbox, draftId, mailId) =>
      ask({
        method: 'PATCH',
        path: pathOf(mailbox, draftId),
        ...json({ singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value: mailId }] }),
      }),
    attach: (mailbox, draftId, body) =>
      ask({
        method: 'POST',
        path: `${pathOf(mailbox, draftId)}/attachments`,
        contentType: 'application/json',
        body,
      }),
    openUpload: async (mailbox, draftId, item) => {
      const path = `${pathOf(mailbox, draftId)}/attachments/createUploadSession`;
      const report = await ask({ method: 'POST', path, ...json({ AttachmentItem: item }) });
      if (report.kind !== 'answered' || (report.status !== 201 && report.status !== 200)) return { report };
      const url = urlIn(report.text);
      if (url === undefined || !isUploadAddress(url, endpoint))
        return { report, strangeHost: url === undefined || !URL.canParse(url) ? '' : new URL(url).hostname };
      const { nextStart = 0 } = readSession(report.text);
      return { report, upload: openUploadSession(upload, url, timeoutMs), nextStart };
    },
    send: (mailbox, draftId) => ask({ method: 'POST', path: `${pathOf(mailbox, draftId)}/send` }),
    look: async (mailbox, draftId) => {
      const path = `${pathOf(mailbox, draftId)}?$select=id,isDraft,internetMessageId`;
      const report = await ask({ method: 'GET', path });
      if (report.kind !== 'answered' || report.status !== 200)
        return isAnswered(report, 404) ? { kind: 'absent' } : sightingWithout(report, now());
      const seen = objectIn(report.text);
      if (seen?.isDraft === true) return { kind: 'draft' };
      return seen?.isDraft === false ? { kind: 'found', ...messageIdOf(seen) } : { kind: 'not-now' };
    },
    remove: async (mailbox, draftId) => {
      const report = await ask({ method: 'DELETE', path: pathOf(mailbox, draftId) });
      if (isAnswered(report, 204)) return 'removed';
      return isAnswered(report, 404) ? 'gone' : 'failed';
    },
    listOf: (mailbox, mailId) =>
      list(mailbox, `$filter=${encodeURIComponent(withProperty(mailId))}&$select=id,createdDateTime`),
    listBefore: (mailbox, before) => {
      const filter = `createdDateTime lt ${before.toISOString()} and ${withProperty()}`;
      const expand = `singleValueExtendedProperties($filter=id eq '${RELAY_ID_PROPERTY}')`;
      return list(
        mailbox,
        `$filter=${encodeURIComponent(filter)}&$select=id,createdDateTime&$expand=${encodeURIComponent(expand)}`,
      );
    },
  };
};

const isAnswered = (
  report: GraphReport,
  status: number,
): report is Extract<GraphReport, { readonly kind: 'answered' }> =>
  report.kind === 'answered' && report.status === status;

const objectIn = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

const draftIn = (text: string) => {
  const message = objectIn(text) ?? {};
  const { id } = message;
  return typeof id === 'string' && IS_ID.test(id) ? { id, ...messageIdOf(message) } : undefined;
};

const urlIn = (text: string): string | undefined => {
  const { uploadUrl } = objectIn(text) ?? {};
  return typeof uploadUrl === 'string' ? uploadUrl : undefined;
};

type ListedDraft = {
  readonly id?: unknown;
  readonly createdDateTime?: unknown;
  readonly singleValueExtendedProperties?: readonly { readonly value?: unknown }[];
};

const draftsIn = (text: string): readonly DraftFound[] | undefined => {
  const { value } = objectIn(text) ?? {};
  if (!Array.isArray(value)) return undefined;
  return (value as readonly ListedDraft[]).flatMap(
    ({ id, createdDateTime, singleValueExtendedProperties }) => {
      const createdAt = new Date(String(createdDateTime));
      if (typeof id !== 'string' || !IS_ID.test(id) || Number.isNaN(createdAt.getTime())) return [];
      const mailId = singleValueExtendedProperties?.[0]?.value;
      return [{ id, createdAt, ...(typeof mailId === 'string' ? { mailId } : {}) }];
    },
  );
};
