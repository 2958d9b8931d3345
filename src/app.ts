import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { app } from '@azure/functions';
import * as core from '@azure/functions-core';
import hostJson from '../host.json' with { type: 'json' };
import packageJson from '../package.json' with { type: 'json' };
import { apiDocsHttp, openApiHttp } from './functions/api-docs.http.ts';
import { byKeyOrToken } from './functions/caller.ts';
import {
  addCallerHttp,
  changeCallerHttp,
  listAuditHttp,
  listCallersHttp,
  makeCallerKeyHttp,
  removeCallerHttp,
  revokeCallerKeyHttp,
  showCallerHttp,
} from './functions/callers.http.ts';
import { cancelMailHttp } from './functions/cancel-mail.http.ts';
import { checkSecretsQueue } from './functions/check-secrets.queue.ts';
import { deliverMailQueue } from './functions/deliver-mail.queue.ts';
import { deliverWebhookQueue } from './functions/deliver-webhook.queue.ts';
import {
  closeMailHttp,
  forgetMailHttp,
  listMailHttp,
  replayMailHttp,
  searchMailHttp,
} from './functions/desk.http.ts';
import { doctorHttp } from './functions/doctor.http.ts';
import { facadeHttp } from './functions/facade.http.ts';
import { healthDetailsHttp, healthHttp } from './functions/health.http.ts';
import { holdMailQueue } from './functions/hold-mail.queue.ts';
import { inboxApiHttp, inboxPageHttp } from './functions/inbox.http.ts';
import { mailStatusHttp } from './functions/mail-status.http.ts';
import { metricsHttp } from './functions/metrics.http.ts';
import { opsHttp } from './functions/ops.http.ts';
import { ownCallerHttp } from './functions/own-caller.http.ts';
import { pollBouncesTimer } from './functions/poll-bounces.timer.ts';
import { countEvents } from './functions/problem.ts';
import { keepQueueMessagesRaw } from './functions/raw-queue-message.ts';
import { rotateSecretsTimer } from './functions/rotate-secrets.timer.ts';
import { sampleRelayTimer } from './functions/sample-relay.timer.ts';
import { sendMailHttp } from './functions/send-mail.http.ts';
import { sendMailBatchHttp } from './functions/send-mail-batch.http.ts';
import { sweepMailTimer } from './functions/sweep-mail.timer.ts';
import { testMailHttp } from './functions/test-mail.http.ts';
import { warnExpiringSecretsTimer } from './functions/warn-expiring-secrets.timer.ts';
import { functionSuffixOf } from './lib/callers/caller-queues.ts';
import { QUEUE } from './lib/callers/known-callers.ts';
import type { FacadeName } from './lib/facades/facade.ts';
import { readFunctionTimeout } from './lib/settings/settings-together.ts';
import {
  callerQueueOf,
  MAIL_QUEUE,
  poisonQueueOf,
  VAULT_EVENT_QUEUE,
  WEBHOOK_QUEUE,
} from './lib/storage/storage-connection.ts';
import { loadAhead } from './load-ahead.ts';
import { restoreOwnHeaders } from './own-headers.ts';
import { openRelay } from './relay.ts';

/** A container or a functions plan can allow less than the machine has; 0 and the like mean that it does not. */
const memoryOfInstance = (): number => Math.min(totalmem(), constrainedMemory() || Number.POSITIVE_INFINITY);

// Nothing is read or opened here: an app that throws before it registers shows as "0 functions" without a word.
const relay = openRelay(
  process.env,
  {
    now: () => new Date(),
    steadyNow: () => new Date(performance.timeOrigin + performance.now()),
    random: Math.random,
    sleep: setTimeout,
    later: (run, milliseconds) => void setTimeout(milliseconds, undefined, { ref: false }).then(run),
    memoryBytes: memoryOfInstance(),
    version: packageJson.version,
  },
  readFunctionTimeout(hostJson.functionTimeout),
);

// Without it the host hands over bodies that came without Content-Length as empty: .NET's PostAsJsonAsync, many proxies.
// https://github.com/Azure/azure-functions-host/issues/4926
app.setup({ enableHttpStream: true });
app.hook.preInvocation(restoreOwnHeaders());

const connection = 'AzureWebJobsStorage';

// For applications with a function key, which the host checks
app.http('sendMail', {
  methods: ['POST'],
  route: 'api/mail',
  authLevel: 'function',
  handler: sendMailHttp(relay.forSendMail),
});
app.http('sendMailBatch', {
  methods: ['POST'],
  route: 'api/mail/batch',
  authLevel: 'function',
  handler: sendMailBatchHttp(relay.forSendMail),
});
app.http('mailStatus', {
  methods: ['GET'],
  route: 'api/mail/{id}',
  authLevel: 'function',
  handler: mailStatusHttp(relay.forStatus),
});
app.http('cancelMail', {
  methods: ['DELETE'],
  route: 'api/mail/{id}',
  authLevel: 'function',
  handler: cancelMailHttp(relay.forDesk),
});

// For applications with a key of the relay or a token from Entra: open to everybody for the host, so the relay asks first who calls
const identify = byKeyOrToken(relay.forIdentity);
app.http('sendMailV1', {
  methods: ['POST'],
  route: 'api/v1/mail',
  authLevel: 'anonymous',
  handler: sendMailHttp(relay.forSendMail, identify),
});
app.http('sendMailBatchV1', {
  methods: ['POST'],
  route: 'api/v1/mail/batch',
  authLevel: 'anonymous',
  handler: sendMailBatchHttp(relay.forSendMail, identify),
});
app.http('mailStatusV1', {
  methods: ['GET'],
  route: 'api/v1/mail/{id}',
  authLevel: 'anonymous',
  handler: mailStatusHttp(relay.forStatus, identify),
});
app.http('cancelMailV1', {
  methods: ['DELETE'],
  route: 'api/v1/mail/{id}',
  authLevel: 'anonymous',
  handler: cancelMailHttp(relay.forDesk, identify),
});
app.http('ownCallerV1', {
  methods: ['GET'],
  route: 'api/v1/caller',
  authLevel: 'anonymous',
  handler: ownCallerHttp(relay.forOwnCaller, identify),
});

// For applications that were written for another provider, where it is wanted: as open as /api/v1, and asking first who calls too.
// At the root of the host for clients that drop the path of an address (decision 41).
const facades = {
  sendgrid: {
    load: async () => (await import('./functions/sendgrid.http.ts')).sendgridFacade,
    paths: { sendgrid: 'api/sendgrid/', sendgridAtRoot: 'v3/' },
  },
  resend: {
    load: async () => (await import('./functions/resend.http.ts')).resendFacade,
    paths: { resend: 'api/resend/', resendAtRoot: 'emails/' },
  },
  postmark: {
    load: async () => (await import('./functions/postmark.http.ts')).postmarkFacade,
    paths: { postmark: 'api/postmark/', postmarkAtRoot: 'email/' },
  },
} satisfies Record<FacadeName, object>;
for (const name of relay.facades) {
  const { load, paths } = facades[name];
  for (const [functionName, path] of Object.entries(paths))
    app.http(functionName, {
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      route: `${path}{*path}`,
      authLevel: 'anonymous',
      handler: facadeHttp(load, relay, functionName.endsWith('AtRoot') ? '/' : `/${path}`),
    });
}

app.http('health', {
  methods: ['GET'],
  route: 'api/health',
  authLevel: 'anonymous',
  handler: healthHttp(packageJson.version),
});

// What can be called, for programs and for people: nothing of this deployment is in it
app.http('openApi', {
  methods: ['GET'],
  route: 'api/openapi.json',
  authLevel: 'anonymous',
  handler: openApiHttp(),
});
app.http('apiDocs', {
  methods: ['GET'],
  route: 'api/docs',
  authLevel: 'anonymous',
  handler: apiDocsHttp(),
});

// For the people who run it, with the master key: these see and move the mails of every caller
app.http('listMail', {
  methods: ['GET'],
  route: 'api/mail',
  authLevel: 'admin',
  handler: listMailHttp(relay.forDesk),
});
app.http('searchMail', {
  methods: ['POST'],
  route: 'api/mail/search',
  authLevel: 'admin',
  handler: searchMailHttp(relay.forDesk),
});
app.http('replayMail', {
  methods: ['POST'],
  route: 'api/mail/{id}/replay',
  authLevel: 'admin',
  handler: replayMailHttp(relay.forDesk),
});
app.http('closeMail', {
  methods: ['POST'],
  route: 'api/mail/{id}/close',
  authLevel: 'admin',
  handler: closeMailHttp(relay.forDesk),
});
app.http('forgetMail', {
  methods: ['POST'],
  route: 'api/mail/{id}/forget',
  authLevel: 'admin',
  handler: forgetMailHttp(relay.forDesk),
});

// For the people who run it, with the master key: who may send what
app.http('listCallers', {
  methods: ['GET'],
  route: 'api/callers',
  authLevel: 'admin',
  handler: listCallersHttp(relay.forCallers),
});
app.http('addCaller', {
  methods: ['POST'],
  route: 'api/callers',
  authLevel: 'admin',
  handler: addCallerHttp(relay.forCallers),
});
app.http('showCaller', {
  methods: ['GET'],
  route: 'api/callers/{name}',
  authLevel: 'admin',
  handler: showCallerHttp(relay.forCallers),
});
app.http('changeCaller', {
  methods: ['PATCH'],
  route: 'api/callers/{name}',
  authLevel: 'admin',
  handler: changeCallerHttp(relay.forCallers),
});
app.http('removeCaller', {
  methods: ['DELETE'],
  route: 'api/callers/{name}',
  authLevel: 'admin',
  handler: removeCallerHttp(relay.forCallers),
});
app.http('makeCallerKey', {
  methods: ['POST'],
  route: 'api/callers/{name}/keys',
  authLevel: 'admin',
  handler: makeCallerKeyHttp(relay.forCallers),
});
app.http('revokeCallerKey', {
  methods: ['DELETE'],
  route: 'api/callers/{name}/keys/{id}',
  authLevel: 'admin',
  handler: revokeCallerKeyHttp(relay.forCallers),
});
app.http('listAudit', {
  methods: ['GET'],
  route: 'api/audit',
  authLevel: 'admin',
  handler: listAuditHttp(relay.forCallers),
});
app.http('healthDetails', {
  methods: ['GET'],
  route: 'api/health/details',
  authLevel: 'admin',
  handler: healthDetailsHttp(packageJson.version, () => new Date(), relay.reportSettings),
});
app.http('doctor', {
  methods: ['GET'],
  route: 'api/doctor',
  authLevel: 'admin',
  handler: doctorHttp(relay.runDoctor),
});
app.http('metrics', {
  methods: ['GET'],
  route: 'api/metrics',
  authLevel: 'admin',
  handler: metricsHttp(relay.forMetrics, packageJson.version),
});
app.http('testMail', {
  methods: ['POST'],
  route: 'api/mail/test',
  authLevel: 'admin',
  handler: testMailHttp(relay.forTestMail),
});
const inboxApi = inboxApiHttp((log) => ({ ...relay.forInbox(log), version: packageJson.version }));
app.http('inboxApi', {
  // With the last two it says what it does not have
  methods: ['GET', 'DELETE', 'POST', 'PUT'],
  route: 'api/inbox/api/{*path}',
  authLevel: 'admin',
  handler: inboxApi,
});
app.http('inboxView', {
  methods: ['GET'],
  route: 'api/inbox/view/{name}',
  authLevel: 'admin',
  handler: inboxApi,
});
// The page itself asks for that key
app.http('inboxPage', {
  methods: ['GET'],
  route: 'api/inbox/{file?}',
  authLevel: 'anonymous',
  handler: inboxPageHttp(),
});
// For people in a browser; the page itself asks who they are
app.http('operatorPage', {
  methods: ['GET', 'POST'],
  route: 'api/ops/{*path}',
  authLevel: 'anonymous',
  handler: opsHttp(relay.forOps, packageJson.version),
});

// By itself
keepQueueMessagesRaw(core);
// What comes by a queue of its own is that caller's email. Who the callers are is in storage, which cannot be read before functions are
// registered: a setting says which of them have a queue.
const mailQueues = [
  { caller: QUEUE, queueName: MAIL_QUEUE, suffix: '' },
  ...relay.callerQueues.map((caller) => ({
    caller,
    queueName: callerQueueOf(caller),
    suffix: functionSuffixOf(caller),
  })),
];
for (const { caller, queueName, suffix } of mailQueues) {
  app.storageQueue(`deliverMail${suffix}`, {
    queueName,
    connection,
    handler: deliverMailQueue((log) => relay.forDeliverMail(log, queueName), caller),
  });
  app.storageQueue(`holdMail${suffix}`, {
    queueName: poisonQueueOf(queueName),
    connection,
    handler: holdMailQueue((log) => relay.forHoldMail(log, queueName), caller),
  });
}
app.storageQueue('deliverWebhook', {
  queueName: WEBHOOK_QUEUE,
  connection,
  handler: deliverWebhookQueue(relay.forDeliverWebhook),
});
app.timer('warnExpiringSecrets', {
  // Every day at 07:00 UTC: early enough that a warning is read the same day in Europe and Asia.
  schedule: '0 0 7 * * *',
  handler: warnExpiringSecretsTimer(relay.forWarnExpiringSecrets),
});
app.storageQueue('checkSecrets', {
  queueName: VAULT_EVENT_QUEUE,
  connection,
  handler: checkSecretsQueue(relay.forWarnExpiringSecrets),
});
app.timer('rotateSecrets', {
  // An hour later, and apart: whichever fails does not stop the other.
  schedule: '0 0 8 * * *',
  handler: rotateSecretsTimer(relay.forRotateSecrets),
});
// Only where it is wanted: a timer that does nothing would start an instance every five minutes.
if (relay.readsReports)
  app.timer('pollBounces', {
    // A report comes seconds or days after its email.
    schedule: '30 */5 * * * *',
    handler: pollBouncesTimer(relay.forPollBounces),
  });
app.timer('sweepMail', {
  // Every hour, away from the full hour, when everybody else's timers run.
  schedule: '0 17 * * * *',
  handler: sweepMailTimer(relay.forSweepMail),
});

app.timer('sampleRelay', {
  // Every five minutes, away from the full minute, when everybody else's timers run.
  schedule: '40 */5 * * * *',
  handler: sampleRelayTimer(relay.forSampleRelay),
});

// What an instance counted after its last write is lost where it is killed, and not where it is stopped.
countEvents(relay.count);
app.hook.appTerminate(relay.keepCounts);

// For whoever watches a deployment: an invocation, and its log, may be hours away. There is no other log yet.
app.hook.appStart(() => relay.tellOfSettings((event) => console.error(JSON.stringify(event))));

// Not awaited: the host goes on. What fails here fails again where it is needed, and is reported there.
app.hook.appStart(() => {
  loadAhead().catch(() => {});
});
