import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Directory } from '../../local/directory.ts';
import { cloudForTests } from '../support/cloud-for-tests.ts';
import type { Diagnosis, Visit } from './doctor-process.ts';

const MAILBOXES = ['noreply@contoso.example', 'payroll@contoso.example'];

/** As an administrator sets it up who follows the guide: Exchange grants the permissions, for the sender mailboxes alone. */
const limitedByExchange = (usual: Directory): Directory => ({
  ...usual,
  mailboxes: usual.mailboxes.map((one) =>
    one.address === 'noreply@contoso.example'
      ? { ...one, proxyAddresses: ['noreply@contoso.onmicrosoft.com'] }
      : one,
  ),
  apps: usual.apps.map((app) => ({
    ...app,
    roles: [],
    exchangeRoles: [
      { role: 'Application Mail.Send', mailboxes: MAILBOXES },
      { role: 'Application Mail.Read', mailboxes: MAILBOXES },
    ],
  })),
});

/** A cloud whose directory can be changed, and the doctor of a relay in it. */
export const startClinic = async () => {
  let healthy: Directory | undefined;
  let current: Directory | undefined;
  const now = () => current as Directory;
  const cloud = await cloudForTests({
    directory: (usual) => {
      healthy = limitedByExchange(usual);
      current = healthy;
      return {
        tenantId: usual.tenantId,
        tenantDomain: usual.tenantDomain,
        get apps() {
          return now().apps;
        },
        get mailboxes() {
          return now().mailboxes;
        },
      };
    },
  });
  const child = fork(join(import.meta.dirname, 'doctor-process.ts'), {
    env: { PATH: process.env.PATH, ...cloud.environment, MAIL_ALLOWED_SENDERS: 'payroll@contoso.example' },
  });
  return {
    cloud,
    /** Changes the directory until it is healed. */
    change: (how: (directory: Directory) => Directory) => {
      current = how(now());
    },
    heal: () => {
      current = healthy;
      for (const { faults } of [cloud.entra, cloud.keyVault, cloud.graph]) faults.clear();
    },
    examine: async (visit: Visit): Promise<Diagnosis> => {
      const answer = once(child, 'message');
      child.send(visit);
      const [diagnosis] = await answer;
      return diagnosis as Diagnosis;
    },
    close: async () => {
      child.kill();
      await cloud.close();
    },
  };
};
