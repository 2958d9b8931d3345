// Stops a deployment that would reset what the last one set:
//   node scripts/lost-parameters.ts LAST NOW             a workflow of GitHub, which gives parameters by variables
//   node scripts/lost-parameters.ts --script LAST NOW... infra/deploy.sh, which gives them by options and a file
//   LAST  parameters of the deployments of main.bicep in the group, as a list, newest first: az deployment group list
//   NOW   parameters of this one: az bicep build-params --file infra/main.bicepparam --stdout, or a parameter file.
//         What a later file sets counts.
// Names only: the values are addresses, and the log of a workflow is read by many.

import { readFileSync } from 'node:fs';
import { type Parameters, readParameters } from './parameter-files.ts';

type Way = { readonly variable: string; readonly option: string };
type Lost = Way & { readonly parameter: string };

/**
 * What may be missing, and how each way of deploying gives it. Not among them: settings, because main.bicep keeps those that
 * are not named, and what is required, because without it there is no deployment.
 */
const WAYS: Readonly<Record<string, Way>> = {
  name: { variable: 'RELAY_NAME', option: '--name' },
  alertRecipients: { variable: 'RELAY_ALERT_RECIPIENTS', option: '--alert-to' },
  options: { variable: 'RELAY_OPTIONS', option: 'the file of --parameters' },
};
/** Members of an object that stay as they are where they are not given: a deployment removes no queue, and no events of the vault. */
const KEPT: readonly string[] = ['options.callerQueues', 'options.vaultEvents'];
const DEFAULT_NAME = 'mail-relay';

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.every(isEmpty)) ||
  (isObject(value) && Object.keys(value).length === 0);

const nameIn = ({ name }: Parameters): string =>
  (typeof name?.value === 'string' && name.value !== '' ? name.value : DEFAULT_NAME).toLowerCase();

/** The last deployment of this relay. If its name was not given, that of any relay: the name may be what is lost. */
const findLast = (all: readonly Parameters[], now: Parameters, isNamed: boolean): Parameters =>
  all.find((last) => nameIn(last) === nameIn(now)) ?? (isNamed ? undefined : all[0]) ?? {};

/** What `last` set and `now` does not: a member of an object, or a value that nothing gives. */
const findLost = (
  last: Parameters,
  now: Parameters,
  isGiven: (way: Way, value: unknown) => boolean,
): readonly Lost[] =>
  Object.entries(WAYS).flatMap(([parameter, way]) => {
    const before = last[parameter]?.value;
    const after = now[parameter]?.value;
    // A parameter that this version does not have is not lost by what is not given.
    if (isEmpty(before) || !(parameter in now)) return [];
    if (isObject(before)) {
      const given: object = isObject(after) ? after : {};
      return Object.keys(before)
        .filter((member) => !(member in given))
        .map((member) => ({ parameter: `${parameter}.${member}`, ...way }))
        .filter((lost) => !KEPT.includes(lost.parameter));
    }
    const isSame = JSON.stringify(before) === JSON.stringify(after);
    return isSame || isGiven(way, after) ? [] : [{ parameter, ...way }];
  });

const readLast = (path: string): readonly Parameters[] => {
  const text = readFileSync(path, 'utf8').trim();
  // az prints nothing, or null, where there was no deployment.
  return text === '' ? [] : ((JSON.parse(text) as readonly Parameters[] | null) ?? []);
};

const args = process.argv.slice(2);
const isScript = args[0] === '--script';
const [lastFile, ...nowFiles] = isScript ? args.slice(1) : args;
if (lastFile === undefined || nowFiles.length === 0) {
  console.error(
    'Usage: node scripts/lost-parameters.ts LAST NOW, or with --script before them.\nBoth are files; the head of the script says which.',
  );
  process.exitCode = 2;
} else {
  const now = readParameters(nowFiles);
  const isGiven = ({ variable }: Way, value: unknown): boolean =>
    isScript ? !isEmpty(value) : Boolean(process.env[variable]?.trim());
  const isNamed = isScript || Boolean(process.env.RELAY_NAME?.trim());
  const lost = findLost(findLast(readLast(lastFile), now, isNamed), now, isGiven);
  if (lost.length > 0) {
    console.error('This run would reset what the last deployment set:');
    for (const { parameter, variable, option } of lost)
      console.error(`  ${parameter}: give it in ${isScript ? option : `the variable ${variable}`}`);
    console.error(
      'To see the values of the last deployments: az deployment group list --resource-group <group> --query "[?properties.parameters.entraClientId].[name, properties.parameters]"',
    );
    console.error(
      isScript
        ? 'To reset them on purpose, run the same command with --reset.'
        : 'To reset them on purpose, run the workflow again with "Reset" selected.',
    );
    process.exitCode = 1;
  }
}
