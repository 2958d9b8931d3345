import http from 'node:http';
import type { MakeOneRequest } from '../graph/one-request.ts';

/** One request by plain HTTP, for receivers of events on the machine of a developer: no proxy, no redirect, no second try. */
export const makeLoopbackRequest: MakeOneRequest = ({ url, method, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, signal, agent: false });
    request.once('response', resolve);
    // After the answer too, when it is cut off.
    request.on('error', reject);
    request.end(body);
  });
