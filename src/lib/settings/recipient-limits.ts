import { type Connection, connectionOf, MAIN_CONNECTION } from '../connections/connection.ts';
import { defined } from '../defined.ts';
import type { Settings } from './settings.ts';

type LimitSettings = Pick<
  Settings,
  | 'MAIL_DEFAULT_SENDER'
  | 'MAIL_ALLOWED_SENDERS'
  | 'MAIL_EXTERNAL_RECIPIENTS_PER_DAY'
  | 'MAIL_INTERNAL_DOMAINS'
  | 'MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY'
>;

const tenantOf = ({ cloud, tenantId }: Connection): string => `${cloud}/${tenantId.toLowerCase()}`;

const domainOf = (sender: string): string => sender.slice(sender.lastIndexOf('@') + 1);

/**
 * The limits of external recipients for the mailbox of a sender. They belong to the tenant: connections of one tenant share them, and where
 * they name different limits, the lowest one holds. Domains of senders are domains of their tenant.
 */
export const toRecipientLimits = (
  settings: LimitSettings,
  connections: readonly [Connection, ...Connection[]],
) => {
  const ofSettings = [settings.MAIL_DEFAULT_SENDER.address, ...settings.MAIL_ALLOWED_SENDERS];
  const sendersOf = (connection: Connection): readonly string[] => [
    ...connection.senders,
    ...ofSettings.filter((one) => connectionOf(connections, one) === connection),
  ];
  const limitsOf = (tenant: string) => {
    const sharing = connections.filter((one) => tenantOf(one) === tenant);
    const isMain = sharing.some(({ name }) => name === MAIN_CONNECTION);
    const limits = [
      isMain ? settings.MAIL_EXTERNAL_RECIPIENTS_PER_DAY : undefined,
      ...sharing.map(({ externalRecipientsPerDay }) => externalRecipientsPerDay),
    ].filter((one) => one !== undefined);
    const domains = [
      ...(isMain ? settings.MAIL_INTERNAL_DOMAINS : []),
      ...sharing.flatMap(({ internalDomains = [] }) => internalDomains),
      ...sharing.flatMap(sendersOf).map(domainOf),
    ];
    return {
      tenant,
      domains: [...new Set(domains)],
      ...defined({ external: limits.length === 0 ? undefined : Math.min(...limits) }),
      onmicrosoft: settings.MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY,
    };
  };
  const tenants = new Map(connections.map(tenantOf).map((tenant) => [tenant, limitsOf(tenant)]));
  return (sender: string) => {
    const tenant = tenantOf(connectionOf(connections, sender));
    return tenants.get(tenant) ?? limitsOf(tenant);
  };
};
