import type { DoctorFacts, QueueFacts, Seen } from './doctor-facts.ts';
import {
  type Finding,
  failed,
  failedFor,
  grouped,
  judged,
  late,
  ok,
  silent,
  unknown,
  warning,
} from './finding.ts';

const MINUTE_MS = 60_000;
/** A message is taken within seconds, or minutes while an app without load starts. */
const STUCK_FAILS_MS = 60 * MINUTE_MS;

const SERVICES = ['tables', 'queues', 'blobs'] as const;
const REACH_STORAGE =
  'Check that the managed identity of the app has its roles on the storage account, that the account allows the app (firewall, private endpoint and its DNS), and the settings AzureWebJobsStorage__...: infra/deploy.sh --resource-group <group> sets all of them.';

/** Whether storage answers, and what waits in it. */
export const judgeStorage = (facts: DoctorFacts): readonly Finding[] => [
  ...services(facts),
  ...facts.queues.map((seen) => judgeQueue('queue', seen, depth(facts.now))),
  ...facts.poisonQueues.map((seen) => judgeQueue('poison-queue', seen, poison)),
  held(facts),
];

const services = ({ storage }: DoctorFacts): readonly Finding[] => {
  const troubled = SERVICES.flatMap((service): readonly Finding[] => {
    const seen = storage[service];
    const check = { check: 'storage', subject: service };
    if (seen.kind === 'seen') return [];
    if (seen.kind === 'late') return [silent(check, 'STORAGE_UNAVAILABLE', REACH_STORAGE)];
    return [failedFor(check, seen.reason, isOfStorage(seen) ? REACH_STORAGE : undefined, seen.upstream)];
  });
  return troubled.length > 0
    ? grouped(troubled)
    : [ok({ check: 'storage' }, 'Tables, queues and blobs respond.')];
};

const isOfStorage = (seen: Seen<unknown>): boolean =>
  seen.kind === 'failed' && seen.reason.code === 'STORAGE_UNAVAILABLE';

const WITHOUT_STORAGE = 'Cannot be checked without storage.';

const judgeQueue = (
  name: string,
  seen: Seen<QueueFacts>,
  judge: (check: { readonly check: string; readonly subject: string }, facts: QueueFacts) => Finding,
): Finding => {
  if (seen.kind !== 'seen')
    return seen.kind === 'late' ? late({ check: name }) : unknown({ check: name }, WITHOUT_STORAGE);
  const { value } = seen;
  const check = { check: name, subject: value.name };
  return value.messages === undefined
    ? failed(
        check,
        'There is no queue of this name, so the relay cannot receive or keep emails there.',
        'Run the deployment again, which creates it: infra/deploy.sh --resource-group <group>',
      )
    : judge(check, value);
};

const messagesOf = (count: number): string => (count === 1 ? '1 message' : `${count} messages`);

const depth =
  (now: Date) =>
  (
    check: { readonly check: string; readonly subject: string },
    { messages = 0, stuckSince }: QueueFacts,
  ): Finding => {
    if (stuckSince === undefined)
      return ok(check, messages === 0 ? 'Empty.' : `${messagesOf(messages)} wait.`);
    const ageMs = now.getTime() - stuckSince.getTime();
    const seen = `${messagesOf(messages)}. The next one has been there for ${ageOf(ageMs)}, and nothing takes it.`;
    const remedy =
      'Look whether deliverMail runs: portal > the app > Functions, and the log for exceptions. Restart the app: az functionapp restart --resource-group <group> --name <app>. If the function is missing: infra/deploy.sh --resource-group <group> --redeploy code smoke-test';
    return ageMs >= STUCK_FAILS_MS ? failed(check, seen, remedy) : warning(check, seen, remedy);
  };

/** Rounded down, in the largest unit that fits. */
export const ageOf = (ms: number): string => {
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return hours === 1 ? '1 hour' : `${hours} hours`;
  return `${Math.floor(hours / 24)} days`;
};

const poison = (
  check: { readonly check: string; readonly subject: string },
  { messages = 0 }: QueueFacts,
): Finding =>
  messages === 0
    ? ok(check, 'Empty.')
    : failed(
        check,
        `${messagesOf(messages)} that the functions host gave up on. The relay takes them within seconds; what stays could not be stored.`,
        'Check storage (above, roles and firewall), then restart the app: it holds them within minutes.',
      );

const held = ({ held: seen }: DoctorFacts): Finding => {
  const check = { check: 'held' };
  if (seen.kind === 'failed') return unknown(check, WITHOUT_STORAGE);
  return judged(check, seen, ({ count, hasMore }) =>
    count === 0 && !hasMore
      ? ok(check, 'No email is held.')
      : warning(
          check,
          `${hasMore ? `More than ${count} emails are` : count === 1 ? '1 email is' : `${count} emails are`} held until an operator decides.`,
          'List them with their reasons: npm run mail -- list',
        ),
  );
};
