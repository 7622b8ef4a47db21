/**
 * Signing out, in three steps that do not depend on each other: the session here ends first and whatever happens next; then the
 * kubeconfig credentials that were issued in it and its refresh token are made worthless (UI-07); then the browser goes to the provider,
 * which ends its own session. The id token that says which one never comes into the reach of a script: it waits in a sealed cookie.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { behalfOf, sessionIdOf } from './behalf.ts';
import { leavingCookie, longestCookie, removeCookie, sessionCookie, setCookie } from './cookies.ts';
import type { AuthParts } from './auth-routes.ts';
import { foreignCall, refuseForeign } from './same-origin.ts';
import type { SignOutAnswer } from './session-view.ts';
import type { Ended } from './sessions.ts';

const leavePath = '/api/auth/signed-out';
const leaveSeconds = 60;
const purpose = 'leaving';
/** How long the person waits for what others are told. */
const tellLimitMs = 5_000;

export function registerSignOut(app: FastifyInstance, parts: AuthParts): void {
  app.post('/api/auth/sign-out', async (request, reply): Promise<SignOutAnswer> => {
    refuseForeign(foreignCall(request.headers, parts.origin));
    const session = parts.sessions.find(sessionIdOf(request));
    const ended = session && parts.sessions.end(session);
    removeCookie(reply, sessionCookie);
    if (session === undefined || ended?.tokens === undefined) return { location: '/' };
    parts.log.info({ person: session.person }, 'signed out');
    await withinLimit(tellOthers(parts, request, ended));
    const value = parts.sealer.seal(purpose, ended.tokens.idToken).toString('base64url');
    // Too long with very many claims: then the provider's own session goes on until it ends there.
    if (value.length <= longestCookie) setCookie(reply, leavingCookie, { value, seconds: leaveSeconds });
    return { location: leavePath };
  });
  app.get(leavePath, (request, reply) => leave(parts, request, reply));
}

/** On to the provider, or to the front page when it cannot end sessions or does not answer. */
async function leave(parts: AuthParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const idToken = parts.sealer.open(purpose, Buffer.from(request.cookies[leavingCookie] ?? '', 'base64url'));
  removeCookie(reply, leavingCookie);
  // Without the cookie nobody has just signed out here: a link from elsewhere ends nothing.
  const address =
    idToken === undefined ? undefined : await parts.provider.signOutAddress(idToken).catch(() => undefined);
  return reply.redirect(address?.href ?? '/', 303);
}

async function tellOthers(parts: AuthParts, request: FastifyRequest, { tokens, credentials }: Ended): Promise<void> {
  const { provider, gateway, log, now } = parts;
  if (tokens === undefined) return;
  let current = tokens;
  if (credentials.length > 0) {
    // What cannot be renewed cannot revoke; its failure below says so.
    if (now() >= tokens.renewMs) current = (await provider.renew(tokens).catch(() => undefined)) ?? tokens;
    const behalf = behalfOf(request, current.accessToken);
    const told = await Promise.allSettled(credentials.map((id) => gateway.revokeCredential(behalf, id)));
    const failed = told.filter(({ status }) => status === 'rejected').length;
    if (failed > 0) log.warn({ failed }, 'credentials of a session that was signed out were not revoked');
  }
  await provider.revoke(current);
}

async function withinLimit(work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, tellLimitMs);
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
