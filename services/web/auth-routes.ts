/**
 * Signing in and out, and who is signed in: `/api/auth/*`. `session-view.ts` has the table. What goes wrong on the way back from the
 * provider is a page in words, because a person looks at it; everything that a script asks is answered as JSON.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorCatalogue, Refusal } from '@clustral/schemas/errors.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { behalfOf, sessionIdOf } from './behalf.ts';
import { removeCookie, sessionCookie, setCookie } from './cookies.ts';
import { CallerRefused, type Gateway } from './gateway.ts';
import { SignInRefused, type IdentityProvider } from './identity-provider.ts';
import { pageHeaders } from './page.ts';
import { signInFailedPage } from './pages.ts';
import { safeReturnTo } from './return-to.ts';
import { foreignRead, refuseForeign } from './same-origin.ts';
import type { Sealer } from './sealed.ts';
import { openSignIn, sealSignIn, signInCookie, signInSeconds, signInsTooMany } from './sign-in.ts';
import { signInFirst, type Sessions } from './sessions.ts';
import type { TokenKeeper } from './token-keeper.ts';
import type { Tokens } from './tokens.ts';
import { viewOf } from './view.ts';

export type AuthParts = {
  readonly origin: string;
  readonly sessions: Sessions;
  readonly tokens: TokenKeeper;
  readonly provider: IdentityProvider;
  readonly gateway: Gateway;
  readonly sealer: Sealer;
  readonly now: () => number;
  readonly log: Log;
};

/** Registers the routes but those of `sign-out.ts`. */
export function registerAuth(app: FastifyInstance, parts: AuthParts): void {
  app.get('/api/auth/sign-in', (request, reply) => asPage(reply, () => beginSignIn(parts, request, reply)));
  app.get('/api/auth/callback', (request, reply) => asPage(reply, () => endSignIn(parts, request, reply)));
  app.get('/api/auth/session', (request) => tellSession(parts, request));
}

type Query = Readonly<Record<string, unknown>>;

async function beginSignIn(parts: AuthParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const returnTo = safeReturnTo((request.query as Query)['returnTo']);
  const { checks, address } = await parts.provider.begin();
  for (const name of signInsTooMany(request.cookies)) removeCookie(reply, name);
  const value = sealSignIn(parts.sealer, { checks, returnTo, beganMs: parts.now() });
  setCookie(reply, signInCookie(checks.state), { value, seconds: signInSeconds });
  return reply.redirect(address.href, 302);
}

async function endSignIn(parts: AuthParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { sealer, provider, gateway, sessions } = parts;
  const { state } = request.query as Query;
  const signIn = openSignIn(sealer, { state, cookies: request.cookies, nowMs: parts.now() });
  if (signIn === undefined) throw new SignInRefused('This sign-in did not begin in this browser, or it took too long.');
  // Good once: whoever comes with the same answer again finds nothing to hold it against.
  removeCookie(reply, signInCookie(signIn.checks.state));
  const tokens = await provider.redeem(new URL(request.raw.url ?? '', parts.origin), signIn.checks);
  const { user } = await gateway.me(behalfOf(request, tokens.accessToken)).catch(async (cause: unknown) => {
    // Nobody would make them worthless later.
    await provider.revoke(tokens);
    throw cause;
  });
  if (user === undefined) throw new Error('the control plane knows the caller and does not say who it is');
  setCookie(reply, sessionCookie, {
    value: replaceSession(sessions, sessionIdOf(request), { person: user.id, tokens }),
  });
  parts.log.info({ person: user.id }, 'signed in');
  return reply.redirect(signIn.returnTo, 303);
}

/** A new session for the browser, whose old one ends. Credentials go on with the person: signing out ends them all the same. */
function replaceSession(sessions: Sessions, oldId: string | undefined, { person, tokens }: SignedIn): string {
  const before = sessions.find(oldId);
  const ended = before && sessions.end(before);
  const id = sessions.open(person, tokens);
  if (before?.person === person)
    for (const credential of ended?.credentials ?? []) sessions.noteCredential(sessions.use(id), credential);
  return id;
}

type SignedIn = { readonly person: string; readonly tokens: Tokens };

async function tellSession({ origin, sessions, tokens, gateway }: AuthParts, request: FastifyRequest) {
  refuseForeign(foreignRead(request.headers, origin));
  // Asking is no use: a page that looks after its own session must not keep it alive.
  const session = sessions.find(sessionIdOf(request));
  if (session === undefined) throw signInFirst();
  try {
    return viewOf(await gateway.me(behalfOf(request, await tokens.accessToken(session))), session.expiresAt);
  } catch (cause) {
    if (!(cause instanceof CallerRefused)) throw cause;
    sessions.end(session);
    throw signInFirst();
  }
}

/** Runs a step of a sign-in; what was foreseen to go wrong is told on a page. */
async function asPage(reply: FastifyReply, step: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await step();
  } catch (cause) {
    const status = statusOf(cause);
    if (status === undefined) throw cause;
    return reply
      .status(status)
      .headers({ ...pageHeaders, 'cache-control': 'no-store' })
      .send(signInFailedPage((cause as Error).message));
  }
}

function statusOf(cause: unknown): number | undefined {
  if (cause instanceof SignInRefused) return 400;
  if (cause instanceof CallerRefused) return 403;
  return cause instanceof Refusal ? errorCatalogue[cause.code].http : undefined;
}
