import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapturedMail, CaptureMail } from '../../src/lib/inbox/captured-mail.ts';
import type { Directory } from '../directory.ts';
import { answering, listen, pathOf } from '../http.ts';
import type { Listening } from '../listening.ts';
import { answerGraphCall, answerListed, type GraphServerState } from './answer-graph-call.ts';
import { GRAPH_AUDIENCES, type VerifyToken } from './authenticate.ts';
import { answerControl, CONTROL_PATH } from './control.ts';
import { makeDrafts } from './drafts.ts';
import { type InstalledFaults, makeInstalledFaults } from './installed-faults.ts';
import { type Limits, makeMailboxLimits } from './mailbox-limits.ts';
import { makeMessageTraces } from './message-traces.ts';
import { makeReceivedReports } from './reports/received-reports.ts';
import { makeRequestLog, type RequestLog } from './request-log.ts';
import { makeSentItems } from './sent-items.ts';
import { type ChangeableSettings, makeChangeableSettings } from './settings.ts';
import { answerUpload } from './upload/answer-upload.ts';
import { makeUploadSessions } from './upload/upload-sessions.ts';

export type GraphOptions = {
  readonly tls: { readonly cert: string; readonly key: string };
  /** 0 takes any free port. */
  readonly port: number;
  /** Where large files are uploaded: another host, as with Outlook. 0 takes any free port. */
  readonly uploadPort?: number;
  /** Where files of drafts are kept until they are sent; emptied at the start. Without it, a temporary one. */
  readonly uploadFolder?: string;
  readonly directory: () => Directory;
  /** Without it, calls that would change the directory fail. */
  readonly changeDirectory?: GraphServerState['changeDirectory'];
  readonly verifyToken: VerifyToken;
  /** `aud` of good tokens besides Microsoft Graph's own and this server's address. */
  readonly audiences?: readonly string[];
  readonly capture: CaptureMail;
  readonly now: () => Date;
  readonly limits?: Partial<Limits> | undefined;
  readonly sentItemsDelayMs?: number | undefined;
  /** Mails of earlier runs: their copies are in Sent Items. */
  readonly earlierMails?: readonly CapturedMail[];
};

/** What `/_control/` offers over HTTP is here for tests in the same process. */
export type Graph = Listening & {
  readonly uploadUrl: string;
  readonly faults: Pick<InstalledFaults, 'add' | 'list' | 'clear'>;
  readonly requests: Pick<RequestLog, 'list' | 'clear'>;
  readonly settings: ChangeableSettings;
};

/** Microsoft Graph's mail API for one machine: as strict as the real one or stricter, and on request as unreliable. */
export const startGraph = async (options: GraphOptions): Promise<Graph> => {
  const { directory, capture, now, verifyToken, audiences = [] } = options;
  const settings = makeChangeableSettings({
    limits: options.limits,
    sentItemsDelayMs: options.sentItemsDelayMs,
  });
  const faults = makeInstalledFaults(directory);
  const requests = makeRequestLog();
  const tls = { cert: options.tls.cert, key: options.tls.key };
  const folder = await openUploadFolder(options.uploadFolder);

  const server = createServer(
    tls,
    answering((request, response) => track(answer(request, response))),
  );
  const uploadServer = createServer(
    tls,
    answering((request, response) => track(upload(request, response))),
  );
  // Below TLS and before a byte of its handshake: nothing of a request can have left the client.
  server.on('connection', (socket: Socket) => {
    if (faults.takesConnection()) socket.resetAndDestroy();
  });
  const listening = await listen(server, { name: 'Graph', port: options.port, portSetting: 'GRAPH_PORT' });
  const uploads = await listen(uploadServer, {
    name: 'Graph upload',
    port: options.uploadPort ?? 0,
    portSetting: 'GRAPH_UPLOAD_PORT',
  }).catch(async (error: unknown) => {
    await listening.close();
    throw error;
  });

  const state: GraphServerState = {
    directory,
    changeDirectory: options.changeDirectory ?? cannotChange,
    capture,
    now,
    verifyToken,
    audiences: [...GRAPH_AUDIENCES, ...audiences, listening.url, `https://localhost:${listening.port}`],
    limits: makeMailboxLimits(() => settings.current().limits),
    faults,
    settings: settings.current,
    sentItems: makeSentItems(options.earlierMails ?? [], settings.current, directory().tenantDomain),
    received: makeReceivedReports(settings.current, directory().tenantDomain),
    drafts: makeDrafts(),
    uploads: makeUploadSessions(folder.path, () => uploads.url),
    traces: makeMessageTraces(options.earlierMails ?? [], settings.current),
    traceRequests: new Map(),
    requests,
  };
  const closeIdleConnections = () => server.closeIdleConnections();
  const answer: Parameters<typeof answering>[0] = (request, response) =>
    request.url?.startsWith(CONTROL_PATH)
      ? answerControl(request, response, { faults, requests, settings, closeIdleConnections })
      : answerGraphCall(request, response, state);
  const upload: Parameters<typeof answering>[0] = (request, response) =>
    // Without the query, which has the token.
    answerListed(request, response, { graph: state, path: pathOf(request) }, (begun) =>
      answerUpload(request, begun, state).finally(() => request.resume()),
    );

  const underWay = new Set<Promise<void>>();
  const track = (work: Promise<void>) => {
    underWay.add(work);
    return work.finally(() => underWay.delete(work));
  };

  return {
    ...listening,
    uploadUrl: uploads.url,
    faults: {
      list: faults.list,
      clear: faults.clear,
      add: (rule) => {
        const added = faults.add(rule);
        if (added.on === 'connect') closeIdleConnections();
        return added;
      },
    },
    requests,
    settings,
    /** Nothing is captured any more once this resolves. */
    close: async () => {
      await Promise.all([listening.close(), uploads.close()]);
      await Promise.allSettled(underWay);
      await folder.close();
    },
  };
};

const cannotChange = () => {
  throw new Error('expected a directory that can be changed: give `changeDirectory` beside `directory`');
};

/** Drafts are forgotten at a restart, and their files with them. */
const openUploadFolder = async (path: string | undefined) => {
  if (path === undefined) {
    const temporary = await mkdtemp(join(tmpdir(), 'graph-uploads-'));
    return { path: temporary, close: () => rm(temporary, { recursive: true, force: true }) };
  }
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return { path, close: async () => {} };
};
