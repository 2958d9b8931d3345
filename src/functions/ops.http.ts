import type { Cookie, HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { OPERATE_ROLE, READ_ROLE } from '../lib/desk/entra-operator.ts';
import {
  identifyOperator,
  type OpsSignIn,
  readPageKey,
  signInWithKey,
  type Visitor,
} from '../lib/desk/identify-operator.ts';
import type { Operator } from '../lib/desk/operator.ts';
import { beginAct } from '../lib/desk/operator-acts.ts';
import { formTokenOf, isFormTokenOf, SESSION_MS } from '../lib/desk/operator-session.ts';
import type { OpsNeeds } from '../lib/desk/ops-needs.ts';
import { AppError, reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { LANGUAGES } from '../lib/mail/language.ts';
import { errorPage } from '../lib/ops/error-page.ts';
import { UNADDRESSED_FIELDS } from '../lib/ops/search-page.ts';
import {
  entraPage,
  noRolePage,
  notSetUpPage,
  signInPage,
  type WhySignedOut,
} from '../lib/ops/sign-in-page.ts';
import type { View } from '../lib/ops/view.ts';
import { OPS_WORDS } from '../lib/ops/words.ts';
import { type OpsAnswer, styleSheet, toResponse } from './ops-answer.ts';
import {
  baseOf,
  clientOf,
  cookieOf,
  isPlainLoopback,
  LANGUAGE_COOKIE,
  languageOf,
  nextOf,
  readForm,
  requireOwnOrigin,
} from './ops-request.ts';
import { openForm, showPage } from './ops-routes.ts';
import { logTo, refusal } from './problem.ts';

const SESSION_COOKIE = 'relay-ops';
const YEAR_SECONDS = 365 * 86_400;

type Needs = (log: Log) => OpsNeeds;

/** GET and POST /api/ops/...: the page of the operators. The host lets everybody in: the page itself asks who it is. */
export const opsHttp =
  (needs: Needs, version: string): HttpHandler =>
  async (request, context) => {
    const path = (request.params.path ?? '').replace(/\/+$/, '');
    if (request.method === 'GET' && path === 'ops.css') return styleSheet();
    const anonymous = anonymousView(request, version);
    const cookies = languageCookies(request, anonymous);
    try {
      const ready = needs(logTo(context));
      if (ready.signIn === 'off') throw new AppError('PAGE_NOT_FOUND');
      const { view, answer, cookies: more } = await answerFor(ready, request, path, anonymous, context);
      return toResponse(view, answer, [...cookies, ...more]);
    } catch (thrown) {
      return toResponse(anonymous, toErrorPage(anonymous, thrown, context), cookies);
    }
  };

type Answered = {
  readonly view: View;
  readonly answer: OpsAnswer;
  readonly cookies: readonly Cookie[];
};

const answerFor = async (
  needs: OpsNeeds,
  request: HttpRequest,
  path: string,
  anonymous: View,
  context: InvocationContext,
): Promise<Answered> => {
  const isForm = request.method === 'POST';
  if (isForm) requireOwnOrigin(request);
  if (isForm && path === 'session') return signIn(needs, request, anonymous);
  const visitor = await identifyOperator(needs, {
    cookie: cookieOf(request, SESSION_COOKIE),
    principal: request.headers.get('x-ms-client-principal'),
  });
  if (visitor.kind !== 'operator')
    return { view: anonymous, answer: outside(needs.signIn, request, visitor, anonymous), cookies: [] };
  const { operator, cookie } = visitor;
  const key = await readPageKey(needs);
  const now = needs.clock.now();
  const view: View = { ...anonymous, now, operator, formToken: formTokenOf(key, operator, now) };
  const cookies = cookie === undefined ? [] : [sessionCookie(request, view, cookie)];
  try {
    if (!isForm) return { view, answer: await showPage(needs, view, path, request.query), cookies };
    const fields = await readForm(request);
    if (!isFormTokenOf(key, operator, fields.get('token') ?? '', now)) throw new AppError('FORM_EXPIRED');
    if (path === 'session/end')
      return { view: anonymous, answer: signOut(request, view, operator), cookies: [] };
    return { view, answer: await openForm(needs, view, path, fields), cookies };
  } catch (thrown) {
    return { view, answer: toErrorPage(view, thrown, context), cookies };
  }
};

const toErrorPage = (view: View, thrown: unknown, context: InvocationContext): OpsAnswer => {
  const { problem, retryAfter } = refusal(context, thrown);
  const reason = thrown instanceof AppError ? reasonOf(thrown) : ({ code: 'UNEXPECTED' } as const);
  return {
    kind: 'page',
    status: problem.status,
    page: errorPage(view, reason, context.invocationId),
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
  };
};

const anonymousView = (request: HttpRequest, version: string): View => {
  const language = languageOf(request);
  const other = LANGUAGES.find((one) => one !== language) ?? language;
  const { pathname, searchParams } = new URL(addressOf(request));
  searchParams.set('lang', other);
  return {
    base: baseOf(request),
    language,
    words: OPS_WORDS[language],
    now: new Date(0),
    version,
    // Of what a form has led to there is no page to load again.
    otherLanguageUrl:
      request.method === 'GET' ? `${pathname}?${searchParams}` : `${baseOf(request)}?lang=${other}`,
  };
};

/** The address, without what must not stand in one: no link repeats it. */
const addressOf = (request: HttpRequest): string => {
  const url = new URL(request.url);
  for (const name of UNADDRESSED_FIELDS) if (url.searchParams.has(name)) url.searchParams.delete(name);
  return url.href;
};

const cookieAttributes = (request: HttpRequest, { base }: View) =>
  ({
    path: base,
    httpOnly: true,
    sameSite: 'Strict',
    secure: !isPlainLoopback(request),
  }) as const;

const sessionCookie = (request: HttpRequest, view: View, value: string): Cookie => ({
  name: SESSION_COOKIE,
  value,
  maxAge: SESSION_MS / 1000,
  ...cookieAttributes(request, view),
});

const languageCookies = (request: HttpRequest, view: View): readonly Cookie[] =>
  request.query.get('lang') === view.language
    ? [
        {
          name: LANGUAGE_COOKIE,
          value: view.language,
          maxAge: YEAR_SECONDS,
          ...cookieAttributes(request, view),
        },
      ]
    : [];

/** What somebody sees who is not an operator. */
const outside = (
  signInBy: OpsSignIn,
  request: HttpRequest,
  visitor: Exclude<Visitor, { readonly kind: 'operator' }>,
  view: View,
): OpsAnswer => {
  if (visitor.kind === 'no-role')
    return { kind: 'page', status: 403, page: noRolePage(view, visitor.name, [READ_ROLE, OPERATE_ROLE]) };
  if (visitor.kind === 'not-set-up') return { kind: 'page', status: 503, page: notSetUpPage(view) };
  const { pathname, search } = new URL(addressOf(request));
  // To a page that somebody followed a link to from elsewhere, the browser has not brought the cookie. It does when this page asks.
  if (request.method === 'GET' && request.headers.get('sec-fetch-site') === 'cross-site')
    return {
      kind: 'page',
      page: { title: view.words.title, content: undefined },
      headers: { refresh: `0; url=${pathname}${search}` },
    };
  const why = request.query.has('left') ? 'left' : visitor.why;
  const next = nextOf(view.base, request.method === 'GET' ? `${pathname}${search}` : null);
  return { kind: 'page', status: 401, page: signedOutPage(signInBy, view, why, next) };
};

const signedOutPage = (signInBy: OpsSignIn, view: View, why: WhySignedOut | undefined, next: string) => {
  const given = { ...(why === undefined ? {} : { why }), next: next.replace(/[?&]left=1$/, '') };
  return signInBy === 'entra' ? entraPage(view, given) : signInPage(view, given);
};

const signIn = async (needs: OpsNeeds, request: HttpRequest, view: View): Promise<Answered> => {
  if (needs.signIn !== 'key') throw new AppError('PAGE_NOT_FOUND');
  const form = await readForm(request);
  const name = form.get('name') ?? '';
  const next = nextOf(view.base, form.get('next'));
  const outcome = await signInWithKey(needs, { key: form.get('key') ?? '', name }, clientOf(request));
  if (outcome.kind === 'refused') {
    const status = { name: 400, wrong: 401, unknown: 503, 'too-many': 429 }[outcome.why];
    const page = signInPage(view, { why: outcome.why, name, next });
    return { view, answer: { kind: 'page', status, page }, cookies: [] };
  }
  await beginAct(needs, outcome.operator, 'sign-in');
  return {
    view,
    answer: { kind: 'go', to: next },
    cookies: [sessionCookie(request, view, outcome.cookie)],
  };
};

const signOut = (request: HttpRequest, view: View, operator: Operator): OpsAnswer => ({
  kind: 'go',
  to:
    operator.with === 'Entra'
      ? `/.auth/logout?post_logout_redirect_uri=${encodeURIComponent(view.base)}`
      : `${view.base}?left=1`,
  cookies: [{ ...sessionCookie(request, view, ''), maxAge: 0 }],
});
