import { parentPort, workerData } from 'node:worker_threads';
import { HttpRequest, InvocationContext } from '@azure/functions';
import { createCoreApi, createRegistrations } from '../../local/functions-host/core-api.ts';
import { loadApp } from '../../local/functions-host/load-app.ts';
import type { InputCost, InputReaderData, InputToRead } from '../input-cost.ts';

const { appFolder, connectionString } = workerData as InputReaderData;

/** Storage is asked for the callers alone: every input is refused before anything else is reached. */
Object.assign(process.env, {
  AzureWebJobsStorage: connectionString,
  ENTRA_TENANT_ID: '00000000-0000-4000-8000-000000000001',
  ENTRA_CLIENT_ID: '00000000-0000-4000-8000-000000000002',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.example',
  KEY_VAULT_URL: 'https://kv-contoso.vault.azure.net',
});

const registrations = createRegistrations();
await loadApp(
  appFolder,
  createCoreApi(registrations, () => {}),
  registrations,
);
const sendMail = [...registrations.functions.values()].find(({ metadata }) => metadata.name === 'sendMail')
  ?.callback as unknown as (
  request: HttpRequest,
  context: InvocationContext,
) => Promise<{ readonly status: number; readonly body: string }>;

const read = async ({ bytes, times }: InputToRead): Promise<InputCost> => {
  const body = ReadableStream.from(Array.from({ length: times }, () => bytes));
  const init: RequestInit = { method: 'POST', body, duplex: 'half' };
  const nativeRequest = new Request('http://127.0.0.1/api/mail', {
    ...init,
    headers: { 'content-type': 'application/json', 'x-functions-key': 'bench' },
  });
  const context = new InvocationContext({
    functionName: 'sendMail',
    invocationId: 'bench',
    logHandler: () => {},
  });
  const before = process.threadCpuUsage();
  const { status, body: answer } = await sendMail(new HttpRequest({ nativeRequest } as never), context);
  const { user, system } = process.threadCpuUsage(before);
  return { cpuMs: (user + system) / 1000, status, code: JSON.parse(answer).code };
};

parentPort?.on('message', (input: InputToRead) => {
  read(input).then(
    (cost) => parentPort?.postMessage(cost),
    (error: unknown) => parentPort?.postMessage({ error: String(error) }),
  );
});
