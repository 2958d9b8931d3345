import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { SECRET_NAME } from '../../local/cloud.ts';
import type { AppSecret, Directory } from '../../local/directory.ts';
import { type RotationStep, rotationOrders } from '../support/rotation-orders.ts';
import { eventually, LANES, newMarker, scopedByExchange, startRelay } from './relay-for-tests.ts';

const YEAR_MS = 365 * 86_400_000;
const FAR = () => new Date(Date.now() + YEAR_MS);

/** What Entra knows, as the test has it. */
let known: AppSecret[] = [];

const relay = await startRelay({
  directory: (usual: Directory) => {
    known = [...(usual.apps[0]?.secrets ?? [])];
    return {
      ...scopedByExchange()(usual),
      apps: scopedByExchange()(usual).apps.map((app, index) =>
        index > 0
          ? app
          : {
              ...app,
              get secrets() {
                return known;
              },
            },
      ),
    };
  },
  // Less than the relay wants left of a token, so that each email needs one of its own and meets the credential as it is then.
  tokenLifetimeSeconds: () => 240,
  limits: { on: false },
  // Pacing is for other tests: a fast machine would reach its limits.
  settings: { MAIL_PER_MINUTE_PER_MAILBOX: '10000', MAIL_CONCURRENT_PER_MAILBOX: '100' },
});
afterAll(() => relay.close());

const rotateOnce = async (
  order: readonly RotationStep[],
  betweenSteps: () => Promise<void>,
): Promise<void> => {
  const [old] = known;
  const oldVersion = relay.cloud.secrets.current(SECRET_NAME);
  if (old === undefined || oldVersion === undefined) throw new Error('expected a secret that works');
  const value = randomBytes(30).toString('base64url');
  const perform: Readonly<Record<RotationStep, () => unknown>> = {
    made: () => {
      known = [...known, { value, expiresOn: FAR(), usableFrom: FAR() }];
    },
    usable: () => {
      known = known.map((one) => (one.value === value ? { value, expiresOn: one.expiresOn } : one));
    },
    stored: () => relay.cloud.secrets.set(SECRET_NAME, { value, expiresOn: FAR() }, new Date()),
    disabled: () =>
      relay.cloud.secrets.update(SECRET_NAME, oldVersion.version, { enabled: false }, new Date()),
    removed: () => {
      known = known.filter((one) => one !== old);
    },
  };
  for (const step of order) {
    await perform[step]();
    await betweenSteps();
  }
};

/** Emails between two steps, of each way. */
const PER_STEP = 3;

test('the client secret is rotated under load, over HTTP and from the queue, in every order of events, and no email fails', async () => {
  const all = rotationOrders();
  expect(all).toHaveLength(6);

  const marker = newMarker();
  const answers: string[] = [];
  let [queued, running] = [0, true];
  const mail = (lane: number) => ({
    from: LANES[lane % LANES.length],
    to: 'somebody@fabrikam.example',
    subject: `rotation ${marker}`,
    text: 'x',
  });
  const overHttp = async (lane: number) => {
    while (running) {
      const { status, body } = await relay.send(mail(lane));
      answers.push(status === 200 ? 'sent' : `${status} ${body.code ?? body.state}`);
    }
  };
  const byQueue = async () => {
    while (running) {
      await relay.enqueue(JSON.stringify(mail(queued)));
      queued += 1;
      // As fast as they are delivered, so that each step meets some.
      await eventually(async () => {
        if ((await relay.messagesOn('mail')) > 4) throw new Error('the queue is longer than four messages');
      });
    }
  };
  const load = [overHttp(0), overHttp(1), overHttp(2), byQueue()];
  const moreEmails = async () => {
    const [answered, sent] = [answers.length + PER_STEP, queued + PER_STEP];
    await eventually(() => {
      if (answers.length < answered || queued < sent) throw new Error('the load stands still');
    });
  };

  await moreEmails();
  for (const order of all) await rotateOnce(order, moreEmails);
  running = false;
  await Promise.all(load);

  // Told before waiting for the last email: one that waits for a reason of its credential has one here.
  const troubles = ['MailQueued', 'MailHeld', 'MailRejected', 'MailUnknown', 'RequestRefused'].flatMap(
    (event) => relay.events(event).map(({ code }) => `${event} ${code}`),
  );
  expect(troubles).toEqual([]);
  const arrived = await relay.arrives(marker, answers.length + queued);
  const outcomes = relay.cloud.entra.tokenRequests().map(({ outcome }) => outcome);
  const refused = outcomes.filter((outcome) => outcome !== 'issued').length;
  const failed = answers.filter((answer) => answer !== 'sent');
  console.log(
    `${all.length} rotations in ${all.length} orders: ${answers.length} emails over HTTP, ${queued} from the queue, ` +
      `${arrived.length} arrived, ${failed.length} failed; Entra refused a secret ${refused} times.`,
  );
  expect(failed).toEqual([]);
  // Each of them was met while the relay still used the old secret.
  expect(refused).toBeGreaterThanOrEqual(all.length);
});
