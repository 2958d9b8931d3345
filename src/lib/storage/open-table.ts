import { type RestError, TableClient } from '@azure/data-tables';
import { clientOptionsOf, LEDGER_TABLE, type StorageConnection } from './storage-connection.ts';

/** The table of the ledger, in which the key of the relay is kept too. */
export const openTable = (connection: StorageConnection): TableClient =>
  connection.kind === 'connection-string'
    ? TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
        ...clientOptionsOf(connection),
        // Connection strings are for local work, where Azurite speaks plain HTTP.
        allowInsecureConnection: true,
      })
    : new TableClient(
        connection.addresses.table,
        LEDGER_TABLE,
        connection.credential,
        clientOptionsOf(connection),
      );

/** A table that is not there is a fault of the set-up, and says nothing of a row. */
export const isMissingTable = (error: RestError): boolean =>
  /TableNotFound/.test(`${error.code} ${error.message}`);
