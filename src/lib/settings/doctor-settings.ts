import { defined } from '../defined.ts';
import { AppError, type Problem } from '../errors.ts';
import { problemsOfConnections, toSenderPolicy } from './connections.ts';
import { readProxy } from './proxy.ts';
import { safetyLines, safetyOn } from './safety-settings.ts';
import {
  type Environment,
  readSetting,
  readSettings,
  type SettingName,
  type Settings,
  strayNames,
} from './settings.ts';

/** What the doctor says of the settings, each read by itself: one that is invalid hides no other. */
export const readDoctorSettings = (environment: Environment, functionTimeoutSeconds: number) => {
  const read = <Name extends SettingName>(name: Name): Settings[Name] | undefined =>
    readSetting(environment, name);
  const warningDays = read('SECRET_WARNING_DAYS');
  const optional = {
    isSendingOn: read('MAIL_ENABLED'),
    warningDays: warningDays && Math.max(...warningDays),
    rotationDays: read('SECRET_ROTATION_DAYS'),
    proxyHost: proxyHostOf(environment),
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
  };
};

const problemsOf = (environment: Environment, functionTimeoutSeconds: number): readonly Problem[] => {
  try {
    return problemsOfConnections(readSettings(environment, undefined, functionTimeoutSeconds));
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

/** By its host: the address of a proxy can have a password in it. */
const proxyHostOf = (environment: Environment): string | undefined => {
  const proxy = readProxy(environment);
  return proxy && new URL(proxy.https_proxy).host;
};
