import { AppError } from '../lib/errors.ts';

const ON = /^(?:true|1)$/i;
const OFF = /^(?:false|0)$/i;

const invalid = (received: string): AppError =>
  new AppError('QUERY_INVALID', {
    detail: `Expected dryRun=true or dryRun=false, received ${received}. Nothing was sent.`,
  });

/**
 * Whether the email is only to be planned. However its name is written it is meant, and what else it could say is refused: who
 * asks for a dry run must not send. Throws QUERY_INVALID.
 */
export const readDryRun = (query: URLSearchParams): boolean => {
  const values = [...query].flatMap(([name, value]) =>
    name.toLowerCase().replaceAll(/[-_]/g, '') === 'dryrun' ? [value] : [],
  );
  if (values.length > 1) throw invalid('it more than once');
  const [value] = values;
  if (value === undefined || OFF.test(value)) return false;
  if (ON.test(value)) return true;
  throw invalid(value === '' ? 'nothing' : 'another value');
};
