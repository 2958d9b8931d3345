import type { CredentialWarning } from './credential-warning.ts';

/** What a reader of a warning has to fill in. */
const GROUP = '<resource group>';
const CLIENT_ID = '<client id>';
const DATE = '<date>';

export type CommandContext = {
  /** Name of the vault. */
  readonly vault: string;
};

type Kind = CredentialWarning['kind'];

/** Creates a client secret of the main connection and stores it. */
export const RENEW_MAIN_SECRET = `infra/deploy.sh --resource-group ${GROUP} --renew-secret credential`;

/** Creates a client secret of any registration and stores it in the vault. */
export const renewSecret = ({ vault }: CommandContext, name: string, clientId = CLIENT_ID): string =>
  `infra/scripts/store-client-secret.sh --vault-id "$(az keyvault show --name ${vault} --query id --output tsv)" --client-id ${clientId} --secret-name ${name} --renew`;

/** Creates a new version of a certificate, and then tells Entra of it (az ad app credential reset: --keyvault without --create-cert). */
export const renewCertificate = (
  { vault }: CommandContext,
  name: string,
  clientId = CLIENT_ID,
): readonly [create: string, register: string] => [
  `az keyvault certificate create --vault-name ${vault} --name ${name} --policy "$(az keyvault certificate get-default-policy)"`,
  `az ad app credential reset --id ${clientId} --keyvault ${vault} --cert ${name} --append`,
];

const typeOf = (kind: Kind): string => (kind === 'certificate' ? 'certificate' : 'secret');

/** Records when a version of a secret expires. The date of a certificate is its own. */
export const recordDate = (
  { vault }: CommandContext,
  { name, version, date }: { readonly name: string; readonly version: string; readonly date?: Date },
): string =>
  `az keyvault secret set-attributes --vault-name ${vault} --name ${name}${version && ` --version ${version}`} --expires ${date === undefined ? DATE : toAzDate(date)}`;

/** Keeps the relay from watching it, and everyone from using it. */
export const disable = ({ vault }: CommandContext, kind: Kind, name: string): string =>
  `az keyvault ${typeOf(kind)} set-attributes --vault-name ${vault} --name ${name} --enabled false`;

/** As az reads it: whole seconds in UTC. */
const toAzDate = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
