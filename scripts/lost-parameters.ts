// Stops a deployment that would reset what the last one set: node scripts/lost-parameters.ts LAST NOW
//   LAST  parameters of the last deployment: az deployment group list ... --query '[...].properties.parameters | [0]'
//   NOW   parameters of this one: az bicep build-params --file infra/main.bicepparam --stdout
// Names only: the values are addresses, and the log of a workflow is read by many.

import { readFileSync } from 'node:fs';

type Parameters = Readonly<Record<string, { readonly value?: unknown } | undefined>>;
type Lost = { readonly parameter: string; readonly variable: string };

/**
 * Variables of GitHub that may be missing, by the parameter each gives. Not among them: settings, because main.bicep keeps
 * those that are not named, and what is required, because without it there is no deployment.
 */
const VARIABLES = {
  name: 'RELAY_NAME',
  alertRecipients: 'RELAY_ALERT_RECIPIENTS',
  options: 'RELAY_OPTIONS',
} as const;

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.every(isEmpty)) ||
  (isObject(value) && Object.keys(value).length === 0);

/** What `last` set and `now` does not: a member of an object, or a value whose variable is missing. */
const findLost = (
  last: Parameters,
  now: Parameters,
  environment: Readonly<Record<string, string | undefined>>,
): readonly Lost[] =>
  Object.entries(VARIABLES).flatMap(([parameter, variable]) => {
    const before = last[parameter]?.value;
    const after = now[parameter]?.value;
    // A parameter that this version does not have is not lost by a missing variable.
    if (isEmpty(before) || !(parameter in now)) return [];
    if (isObject(before)) {
      const given: object = isObject(after) ? after : {};
      return Object.keys(before)
        .filter((member) => !(member in given))
        .map((member) => ({ parameter: `${parameter}.${member}`, variable }));
    }
    const isSame = JSON.stringify(before) === JSON.stringify(after);
    return isSame || environment[variable]?.trim() ? [] : [{ parameter, variable }];
  });

const readLast = (path: string): Parameters => {
  const text = readFileSync(path, 'utf8').trim();
  // az prints nothing, or null, where there was no deployment.
  return text === '' ? {} : ((JSON.parse(text) as Parameters | null) ?? {});
};

const readNow = (path: string): Parameters => {
  const { parametersJson } = JSON.parse(readFileSync(path, 'utf8')) as { parametersJson: string };
  return (JSON.parse(parametersJson) as { parameters: Parameters }).parameters;
};

const [last, now] = process.argv.slice(2);
if (last === undefined || now === undefined) {
  console.error(
    'Usage: node scripts/lost-parameters.ts LAST NOW\nBoth are files; the head of the script says which.',
  );
  process.exitCode = 2;
} else {
  const lost = findLost(readLast(last), readNow(now), process.env);
  if (lost.length > 0) {
    console.error('This run would reset what the last deployment set:');
    for (const { parameter, variable } of lost)
      console.error(`  ${parameter}: give it in the variable ${variable}`);
    console.error(
      'To see the values of the last deployment: az deployment group show --resource-group <group> --name graph-mail-relay --query properties.parameters',
    );
    console.error('To reset them on purpose, run the workflow again with "Reset" selected.');
    process.exitCode = 1;
  }
}
