import { readFile } from 'node:fs/promises';
import type http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import type { Cloud } from '../../local/cloud.ts';
import {
  LOCAL_CALLER_ID,
  LOCAL_CALLER_SECRET,
  LOCAL_CLIENT_ID,
  LOCAL_TENANT_ID,
} from '../../local/directory.ts';

type TokenAnswer = { readonly access_token?: string; readonly error_codes?: readonly number[] };

/** What the local Entra says to whoever has a client secret: MSAL and the identity libraries send the same. */
export const askForToken = async (
  { environment, entra }: Pick<Cloud, 'environment' | 'entra'>,
  client: { readonly id: string; readonly secret: string; readonly scope: string },
): Promise<TokenAnswer> => {
  const ca = await readFile(environment.NODE_EXTRA_CA_CERTS ?? '');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
    scope: client.scope,
  });
  const url = `${entra.url}/${LOCAL_TENANT_ID}/oauth2/v2.0/token`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    https.request(url, { method: 'POST', ca, headers }, resolve).on('error', reject).end(form.toString());
  });
  return JSON.parse(await text(answer)) as TokenAnswer;
};

/** A token of the local Entra for the relay, as an application gets it. */
export const getAppToken = async (cloud: Pick<Cloud, 'environment' | 'entra'>): Promise<string> => {
  const scope = `api://${LOCAL_CLIENT_ID}/.default`;
  const answer = await askForToken(cloud, { id: LOCAL_CALLER_ID, secret: LOCAL_CALLER_SECRET, scope });
  return answer.access_token ?? '';
};
