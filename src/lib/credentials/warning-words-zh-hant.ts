import { FUNCTION_KEYS, QUEUE } from '../callers/known-callers.ts';
import { MAIN_CONNECTION } from '../connections/connection.ts';
import { catalogue } from '../error-catalogue.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { disable, RENEW_MAIN_SECRET, recordDate, renewCertificate, renewSecret } from './renewal-commands.ts';
import { listed, type Step, toMinute, type WarningContext, type WarningWords } from './warning-text.ts';

const NOUNS: Readonly<Record<CredentialWarning['kind'], string>> = {
  secret: '秘密',
  certificate: '憑證',
  'managed-identity': '受控識別',
  federated: '同盟認證',
};

const nounOf = ({ kind, uses }: CredentialWarning): string =>
  kind === 'secret' && uses.length > 0 ? '用戶端秘密（client secret）' : NOUNS[kind];

const namesOf = ({ uses }: CredentialWarning): string =>
  uses.map(({ connection }) => connection.name).join('、');

const headlineOf = (warning: CredentialWarning): string => {
  const subject = `${nounOf(warning)} ${warning.name} `.replace('） ', '）');
  switch (warning.state) {
    case 'expiring':
      return warning.daysLeft === 1
        ? `${subject}將在一天之內到期`
        : `${subject}將在 ${warning.daysLeft} 天後到期`;
    case 'expired':
      return `${subject}已經到期`;
    case 'no-expiry-date':
      return `${subject}在保存庫中沒有到期日`;
    case 'dates-differ':
      return `${subject}在保存庫與 Entra 的到期日不同`;
    case 'refused':
      return `連線 ${namesOf(warning)} 無法取得權杖（${warning.code}）`;
  }
};

const more = (count: number): string => `以及另外 ${count} 個`;

const callerOf = (name: string): string =>
  ({
    [FUNCTION_KEYS]: `${FUNCTION_KEYS}（使用函式金鑰的應用程式）`,
    [QUEUE]: `${QUEUE}（寫入佇列 mail 的應用程式）`,
  })[name] ?? name;

const datesOf = (warning: CredentialWarning): readonly (readonly [string, string])[] => {
  switch (warning.state) {
    case 'expiring':
      return [['到期時間', `${toMinute(warning.expiresOn)}（剩下 ${warning.daysLeft} 天）`]];
    case 'expired':
      return [['到期時間', `${toMinute(warning.expiresOn)}（已經到期）`]];
    case 'no-expiry-date':
      return warning.entraDate === undefined
        ? [['到期時間', '不明']]
        : [['到期時間', `${toMinute(warning.entraDate)}（依 Entra 的資料）`]];
    case 'dates-differ':
      return [
        ['保存庫的到期日', toMinute(warning.vaultDate)],
        ['Entra 的到期日', toMinute(warning.entraDate)],
      ];
    case 'refused':
      return [
        [
          '錯誤代碼',
          warning.upstreamCode === undefined ? warning.code : `${warning.code}（${warning.upstreamCode}）`,
        ],
      ];
  }
};

const usesOf = ({ uses }: CredentialWarning): readonly (readonly [string, string])[] => [
  [
    '用於',
    uses.length === 0
      ? '轉送服務沒有連線使用它'
      : uses
          .map(
            ({ connection }) =>
              `連線 ${connection.name}（租用戶 ${connection.tenantId}，應用程式 ${connection.clientId}）`,
          )
          .join('；'),
  ],
  ...listOf('寄件者（寄件人）', [...new Set(uses.flatMap(({ senders }) => senders))]),
  ...listOf('呼叫端', [...new Set(uses.flatMap(({ callers }) => callers))].map(callerOf)),
];

const OWNER_FAULTS = {
  unreadable: '未通知：保存庫中的標籤 owner 不是單一的電子郵件地址',
  outside: '未通知：標籤 owner 中的地址不屬於寄件者或 SECRET_WARNING_RECIPIENTS 的網域',
} as const;

const ownerOf = ({ ownerFault }: CredentialWarning): readonly (readonly [string, string])[] =>
  ownerFault === undefined ? [] : [['負責人', OWNER_FAULTS[ownerFault]]];

const listOf = (label: string, names: readonly string[]): readonly (readonly [string, string])[] =>
  names.length === 0 ? [] : [[label, listed(names, '、', more)]];

const breaksOf = ({ uses, state }: CredentialWarning): string | undefined => {
  if (uses.length === 0) return undefined;
  switch (state) {
    case 'expiring':
      return '到期之後，轉送服務就無法以這些寄件者寄出郵件：佇列（隊列）中的郵件會先等待，之後轉為待人工處理；呼叫端會收到錯誤。';
    case 'expired':
      return '只要 Entra 拒絕它，轉送服務就無法以這些寄件者寄出郵件：佇列（隊列）中的郵件會先等待，之後轉為待人工處理；呼叫端會收到錯誤。';
    case 'refused':
      return '轉送服務現在無法以這些寄件者寄出郵件：佇列（隊列）中的郵件會先等待，之後轉為待人工處理；呼叫端會收到錯誤。';
    case 'no-expiry-date':
      return '保存庫沒有到期日時，轉送服務可能無法在停止以這些寄件者寄出郵件之前警告您。';
    case 'dates-differ':
      return '轉送服務以較早的日期為準，但查看保存庫的人看到的是另一個日期。';
  }
};

const renewal = ({ kind, name, uses }: CredentialWarning, context: WarningContext): readonly Step[] => {
  const [use] = uses;
  const clientId = use?.connection.clientId;
  if (kind === 'certificate') {
    const [create, register] = renewCertificate(context, name, clientId);
    return [
      {
        say: '建立憑證的新版本，再把它加到應用程式註冊。在 Entra 認得新憑證之前，轉送服務會繼續使用舊憑證：',
      },
      { run: create },
      { run: register },
    ];
  }
  const store = { run: renewSecret(context, name, clientId) };
  const say =
    '建立新的用戶端秘密，並存入保存庫。轉送服務不需要重新啟動就會使用它，舊的秘密在到期之前仍然有效：';
  return use?.connection.name === MAIN_CONNECTION
    ? [{ say }, { run: RENEW_MAIN_SECRET }, { say: '或者只更新這個秘密：' }, store]
    : [{ say }, store];
};

const ROTATED =
  '轉送服務會自行更新這個秘密（SECRET_ROTATION_DAYS）。收到這則警告，表示更新尚未成功：請在記錄中查看原因。要立即手動更新：';

const stepsOf = (warning: CredentialWarning, context: WarningContext): readonly Step[] => {
  const { kind, name, uses } = warning;
  switch (warning.state) {
    case 'expiring':
    case 'expired': {
      if (uses.length === 0)
        return [
          { say: '請通知使用它的人。如果它是應用程式註冊的用戶端秘密或憑證：' },
          ...renewal(warning, context).filter((step) => 'run' in step),
          { say: '如果不再需要，請停用它：' },
          { run: disable(context, kind, name) },
        ];
      return context.rotates && kind === 'secret'
        ? [{ say: ROTATED }, ...renewal(warning, context).slice(1)]
        : renewal(warning, context);
    }
    case 'no-expiry-date':
      return [
        {
          say:
            warning.entraDate === undefined
              ? '請填入應用程式註冊的「憑證及秘密」頁面上的日期：'
              : '請填入 Entra 的日期：',
        },
        {
          run: recordDate(context, {
            name,
            version: warning.version,
            ...(warning.entraDate === undefined ? {} : { date: warning.entraDate }),
          }),
        },
      ];
    case 'dates-differ':
      if (kind === 'certificate')
        return [
          { say: '請再次把憑證加到應用程式註冊，讓 Entra 有正確的日期：' },
          { run: renewCertificate(context, name, uses[0]?.connection.clientId)[1] },
        ];
      return [
        { say: '請填入 Entra 的日期：' },
        { run: recordDate(context, { name, version: warning.version, date: warning.entraDate }) },
      ];
    case 'refused': {
      const { title, remedy } = catalogue[warning.code];
      return [{ say: `錯誤說明（英文）：${title}. ${remedy}` }];
    }
  }
};

/** Warnings in Traditional Chinese. */
export const CHINESE: WarningWords = {
  describe: (warning, context) => {
    const breaks = breaksOf(warning);
    return {
      headline: headlineOf(warning),
      facts: [
        ...datesOf(warning),
        ['金鑰保存庫', context.vault || '沒有'],
        ...usesOf(warning),
        ...ownerOf(warning),
      ],
      ...(breaks === undefined ? {} : { breaks }),
      steps: stepsOf(warning, context),
    };
  },
  subject: ([first = '', ...rest], vault) =>
    `${first}${rest.length === 0 ? '' : `，以及另外 ${rest.length} 則警告`}${vault && `（${vault}）`}`,
  opening: (count, vault, day) =>
    `Graph Mail Relay（轉送服務）的認證有 ${count} 則警告${vault && `，保存庫 ${vault}`}，${day}（UTC）。`,
  whatToDo: '處理方式',
  colon: '：',
  more: (count) => `另外 ${count} 則沒有列出。記錄中有全部的警告（SecretExpiring）。`,
  footer:
    '由 Graph Mail Relay 寄出。剩餘時間更少時會再次警告（SECRET_WARNING_DAYS），到期之後每天警告一次（沒有連線使用的，七天之後改為每週一次）。',
};
