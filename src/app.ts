import { app } from '@azure/functions';
import packageJson from '../package.json' with { type: 'json' };
import { deliverMailQueue } from './functions/deliver-mail.queue.ts';
import { healthHttp } from './functions/health.http.ts';
import { sendMailHttp } from './functions/send-mail.http.ts';
import { setAsideMailQueue } from './functions/set-aside-mail.queue.ts';
import { warnExpiringSecretsTimer } from './functions/warn-expiring-secrets.timer.ts';
import { openRelay } from './relay.ts';

// Registered before anything is read or opened: an app that throws first shows as "0 functions" without a word.
const relay = openRelay(process.env, { now: () => new Date(), random: Math.random });

const STORAGE = 'AzureWebJobsStorage';

app.http('sendMail', {
  methods: ['POST'],
  route: 'mail',
  authLevel: 'function',
  handler: sendMailHttp(relay.forSendMail),
});

app.http('health', {
  methods: ['GET'],
  route: 'health',
  authLevel: 'anonymous',
  handler: healthHttp(packageJson.version),
});

app.storageQueue('deliverMail', {
  queueName: 'mail',
  connection: STORAGE,
  handler: deliverMailQueue(relay.forDeliverMail),
});

app.storageQueue('setAsideMail', {
  queueName: 'mail-poison',
  connection: STORAGE,
  handler: setAsideMailQueue(relay.forSetAsideMail),
});

app.timer('warnExpiringSecrets', {
  // Every day at 07:00 UTC: early enough that a warning is read the same day in Europe and Asia.
  schedule: '0 0 7 * * *',
  handler: warnExpiringSecretsTimer(relay.forWarnExpiringSecrets),
});
