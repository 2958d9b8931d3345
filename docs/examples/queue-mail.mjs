// Puts the mail of payslip.json on the queue `mail`, once as plain JSON and once as base64: both ways work.
import { readFile } from 'node:fs/promises';
import { QueueClient } from '@azure/storage-queue';

const { AzureWebJobsStorage, QUEUE_PORT = '10001' } = process.env;
// The account and key every Azurite has; in Azure use new QueueClient(url, new DefaultAzureCredential()).
const local = `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;QueueEndpoint=http://127.0.0.1:${QUEUE_PORT}/devstoreaccount1;`;
const queue = new QueueClient(AzureWebJobsStorage ?? local, 'mail');

const mail = await readFile(new URL('payslip.json', import.meta.url), 'utf8');
for (const text of [mail, Buffer.from(mail).toString('base64')]) {
  const { messageId } = await queue.sendMessage(text, { messageTimeToLive: -1 });
  console.log(`queued ${messageId}`);
}
