// Puts the mail of payslip.json on a queue, once as plain JSON and once as base64: both ways work.
// The queue is `mail`, or the one of a caller: node docs/examples/queue-mail.mjs mail-payroll
import { readFile } from 'node:fs/promises';
import { QueueClient } from '@azure/storage-queue';

const [queueName = 'mail'] = process.argv.slice(2);
const { AzureWebJobsStorage, QUEUE_PORT = '10001' } = process.env;
// The account and key every Azurite has; in Azure use new QueueClient(url, new DefaultAzureCredential()).
const local = `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;QueueEndpoint=http://127.0.0.1:${QUEUE_PORT}/devstoreaccount1;`;
const queue = new QueueClient(AzureWebJobsStorage ?? local, queueName);

const mail = await readFile(new URL('payslip.json', import.meta.url), 'utf8');
for (const text of [mail, Buffer.from(mail).toString('base64')]) {
  const { messageId } = await queue.sendMessage(text, { messageTimeToLive: -1 });
  console.log(`queued ${messageId}`);
}
