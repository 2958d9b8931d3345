import { type RestError, TableClient } from '@azure/data-tables';
import { LEDGER_TABLE, STORAGE_RETRIES, type StorageConnection } from './storage-connection.ts';

/** The table of the ledger, in which the key of the relay is kept too. */
export const openTable = (connection: StorageConnection): TableClient =>
  connection.kind === 'connection-string'
    ? TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
        ...STORAGE_RETRIES,
        // Connection strings are for local work, where Azurite speaks plain HTTP.
        allowInsecureConnection: true,
      })
    : new TableClient(
        `https://${connection.accountName}.table.core.windows.net`,
        LEDGER_TABLE,
        connection.credential,
        STORAGE_RETRIES,
      );

/** A table that is not there is a fault of the set-up, and says nothing of a row. */
export const isMissingTable = (error: RestError): boolean =>
  /TableNotFound/.test(`${error.code} ${error.message}`);
