import { randomUUID } from 'node:crypto';
import type { RelayForTests } from './relay-for-tests.ts';

/** A subject that runs from right to left, and a name with an attempt to leave its place. */
const HEBREW_SUBJECT = 'דוח שבועי <script>alert(1)</script>';

type Fault = { readonly accept?: boolean };

const fault = (relay: RelayForTests, mailbox: string, { accept = false }: Fault) =>
  relay.cloud.graph.faults.add({ on: 'sendMail', mailbox, fault: { kind: 'answer', status: 504, accept } });

/** An email that is held: Graph did not confirm it, and the relay was asked not to look. */
export const aHeldMail = async (relay: RelayForTests, from: string, subject = HEBREW_SUBJECT) => {
  fault(relay, from, { accept: true });
  const { body } = await relay.send({
    from,
    to: ['Ada Lovelace <ada@fabrikam.example>', 'grace@fabrikam.example'],
    subject,
    text: 'Hello.',
    tags: ['payroll', 'month-end'],
    onUnknown: 'hold',
  });
  await relay.reaches(body.id, 'held');
  return body.id;
};

/** One that the relay found in the mailbox after Graph had not confirmed it. */
export const aVerifiedMail = async (relay: RelayForTests, from: string) => {
  fault(relay, from, { accept: true });
  const { body } = await relay.send({ from, to: 'ada@fabrikam.example', subject: 'Invoice', text: 'Hello.' });
  await relay.reaches(body.id, 'sent');
  return body.id;
};

/** One that went at the first attempt. */
export const aSentMail = async (
  relay: RelayForTests,
  from: string,
  idempotencyKey: string = randomUUID(),
) => {
  const { body } = await relay.send({
    from,
    to: 'ada@fabrikam.example',
    subject: 'Receipt',
    text: 'Hello.',
    tags: ['receipts'],
    idempotencyKey,
  });
  return body.id;
};
