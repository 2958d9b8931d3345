import type { TokenClaims } from '../entra/token-keys.ts';

/** An answer that Key Vault gives instead of a secret, in its words. */
export class VaultProblem extends Error {
  override readonly name = 'VaultProblem';
  readonly status: number;
  readonly code: string;
  readonly innerCode: string | undefined;

  constructor(status: number, code: string, message: string, innerCode?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.innerCode = innerCode;
  }

  toBody() {
    return {
      error: {
        code: this.code,
        message: this.message,
        innererror: this.innerCode === undefined ? undefined : { code: this.innerCode },
      },
    };
  }
}

// Codes: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes, and answers people have published.

export const unauthorized = (message: string) => new VaultProblem(401, 'Unauthorized', message);

export const badParameter = (message: string) => new VaultProblem(400, 'BadParameter', message);

export const secretNotFound = (identifier: string) =>
  new VaultProblem(
    404,
    'SecretNotFound',
    `A secret with (name/id) ${identifier} was not found in this key vault. If you recently deleted this secret you may be able ` +
      'to recover it using the correct recovery command. For help resolving this issue, please see ' +
      'https://go.microsoft.com/fwlink/?linkid=2125182',
  );

export const secretDisabled = () =>
  new VaultProblem(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');

export const notPermitted = (claims: TokenClaims, dataAction: string) =>
  new VaultProblem(
    403,
    'Forbidden',
    'Caller is not authorized to perform action on resource.\r\n' +
      'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n' +
      `Caller: appid=${claims.appid};iss=${claims.iss}\r\n` +
      `Action: 'Microsoft.KeyVault/vaults/secrets/${dataAction}/action'\r\n` +
      "Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\n",
    'ForbiddenByRbac',
  );
