import { randomBytes } from 'node:crypto';
import { openRawStorage, type RawEntity } from './raw-storage.ts';

const LEDGER_TABLE = 'mailledger';
/** The last two digits of an id. */
const PARTITIONS = 256;
/** https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions */
const MOST_IN_TRANSACTION = 100;
const TIMESTAMPS = /^Timestamp$|^odata\./;

/**
 * Fills a ledger with copies of an email that is in it already: everything that the ledger has of that email, under new ids.
 * So nothing here knows the layout of the table, except that an id ends with its partition and begins with its time.
 */
export const fillLedger = async (
  { connectionString }: { readonly connectionString: string },
  template: string,
  rows: number,
): Promise<void> => {
  const storage = openRawStorage(connectionString);
  try {
    const entities = (
      await storage.listEntities(LEDGER_TABLE, `PartitionKey eq '${partitionOf(template)}'`)
    ).filter((entity) => entity.RowKey.includes(template));
    if (entities.length === 0)
      throw new Error('Expected the email that is copied in the ledger, found nothing of it.');
    const perTransaction = Math.floor(MOST_IN_TRANSACTION / entities.length);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const due =
        Math.floor((rows * (partition + 1)) / PARTITIONS) - Math.floor((rows * partition) / PARTITIONS);
      for (let done = 0; done < due; done += perTransaction) {
        const ids = Array.from({ length: Math.min(perTransaction, due - done) }, () =>
          newId(template, partition),
        );
        await storage.insertEntities(
          LEDGER_TABLE,
          ids.flatMap((id) => entities.map((entity) => copyOf(entity, template, id))),
        );
      }
    }
  } finally {
    storage.close();
  }
};

const partitionOf = (mailId: string): string => mailId.slice(-2);

/** Of the same time and version, with other random digits. */
const newId = (template: string, partition: number): string =>
  `${template.slice(0, 24)}${randomBytes(5).toString('hex')}${partition.toString(16).padStart(2, '0')}`;

const copyOf = (entity: RawEntity, template: string, id: string): RawEntity => ({
  ...(Object.fromEntries(
    Object.entries(entity)
      .filter(([name]) => !TIMESTAMPS.test(name))
      .map(([name, value]) => [name, typeof value === 'string' ? value.replaceAll(template, id) : value]),
  ) as RawEntity),
  PartitionKey: partitionOf(id),
});
