// Receives events of the relay, and prints those that it signed:
// WEBHOOK_SECRET='whsec_...' node docs/examples/receive-webhook.mjs 3000
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const key = Buffer.from((process.env.WEBHOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
const port = Number(process.argv[2] ?? 3000);
if (key.length < 24) throw new Error('Expected WEBHOOK_SECRET=whsec_..., as npm start shows it.');

const isSigned = (headers, body) => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${digest}`);
  return signatures
    .split(' ')
    .map((one) => Buffer.from(one))
    .some((one) => one.length === expected.length && timingSafeEqual(one, expected));
};

const server = createServer(async (request, response) => {
  const body = await buffer(request);
  if (!isSigned(request.headers, body)) return response.writeHead(401).end();
  response.writeHead(204).end();
  const { type, id, data } = JSON.parse(body.toString());
  console.log(type, id, JSON.stringify(data));
});
server.listen(port, '127.0.0.1', () =>
  console.log(`Listening on http://localhost:${server.address().port}/`),
);
