import { AppError } from '../lib/errors.ts';

/** Whether what became of the email after Exchange took it is asked for as well. Throws QUERY_INVALID for what is neither yes nor no. */
export const readDelivery = (query: URLSearchParams): boolean => {
  const values = query.getAll('delivery');
  const [value = 'false'] = values;
  if (values.length < 2 && (value === 'true' || value === 'false')) return value === 'true';
  throw new AppError('QUERY_INVALID', {
    detail: `Expected delivery=true or delivery=false, received ${values.length > 1 ? 'it more than once' : value === '' ? 'nothing' : 'another value'}.`,
  });
};
