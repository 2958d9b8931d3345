import { defined } from '../defined.ts';
import { AppError, type Problem } from '../errors.ts';
import { toSenderPolicy } from './connections.ts';
import { safetyLines, safetyOn } from './safety-settings.ts';
import {
  type Environment,
  readSetting,
  readSettings,
  type SettingName,
  type Settings,
  strayNames,
} from './settings.ts';

/** Where a proxy is named for the whole process (Node: NODE_USE_ENV_PROXY). */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;

/** What the doctor says of the settings, each read by itself: one that is invalid hides no other. */
export const readDoctorSettings = (environment: Environment, functionTimeoutSeconds: number) => {
  const read = <Name extends SettingName>(name: Name): Settings[Name] | undefined =>
    readSetting(environment, name);
  const warningDays = read('SECRET_WARNING_DAYS');
  const optional = {
    isSendingOn: read('MAIL_ENABLED'),
    warningDays: warningDays && Math.max(...warningDays),
    rotationDays: read('SECRET_ROTATION_DAYS'),
  };
  return {
    problems: problemsOf(environment, functionTimeoutSeconds),
    strayNames: strayNames(environment),
    ...defined(optional),
    looksUp: read('MAIL_ON_UNKNOWN') === 'verify',
    safety: safetyLines(
      safetyOn({
        MAIL_CAPTURE: read('MAIL_CAPTURE') ?? false,
        MAIL_REDIRECT_TO: read('MAIL_REDIRECT_TO'),
        MAIL_RECIPIENT_DOMAINS: read('MAIL_RECIPIENT_DOMAINS'),
      }),
    ),
    senders: sendersOf(environment),
    draftSettings: [
      ...(read('MAIL_LARGE_ATTACHMENTS') ? ['MAIL_LARGE_ATTACHMENTS=true'] : []),
      ...(read('MAIL_DELIVERY') === 'exact' ? ['MAIL_DELIVERY=exact'] : []),
    ],
    proxies: proxiesOf(environment),
    usesProxies: environment.NODE_USE_ENV_PROXY === '1',
  };
};

const problemsOf = (environment: Environment, functionTimeoutSeconds: number): readonly Problem[] => {
  try {
    readSettings(environment, undefined, functionTimeoutSeconds);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.facts.problems ?? [];
  }
};

const sendersOf = (environment: Environment): readonly string[] => {
  try {
    const { defaultSender, allowedSenders } = toSenderPolicy(
      readSettings(environment, ['MAIL_DEFAULT_SENDER', 'MAIL_ALLOWED_SENDERS', 'GRAPH_CONNECTIONS']),
    );
    return [defaultSender.address, ...allowedSenders];
  } catch {
    return [];
  }
};

/** By their hosts: an address of a proxy can have a password in it. */
const proxiesOf = (environment: Environment) =>
  PROXY_VARIABLES.flatMap((variable) => {
    const address = environment[variable]?.trim();
    if (!address) return [];
    return [{ variable, host: URL.canParse(address) ? new URL(address).host : 'an invalid address' }];
  });
