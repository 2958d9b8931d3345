import { expect, test } from 'vitest';
import { proxyRefusalOf } from '../../src/lib/proxy-refusal.ts';

const answered = (status: number) =>
  Object.assign(
    new Error(`Failed to establish tunnel to graph.example:443 via http://p:3128: HTTP/1.1 ${status} Reason`),
    { code: 'ERR_PROXY_TUNNEL' },
  );

test.each([401, 403, 404, 407])(
  'a proxy that answers %i refuses until someone changes something',
  (status) => {
    expect(proxyRefusalOf(new Error('of an SDK', { cause: answered(status) }))).toBe(
      `The proxy answered ${status} to a connection to graph.example:443.`,
    );
  },
);

test.each([408, 429, 502, 503, 504])(
  'a proxy that answers %i refuses nothing: it is a matter of time',
  (status) => {
    expect(proxyRefusalOf(answered(status))).toBeUndefined();
  },
);
