/**
 * The three cookies of this service. Each has the `__Host-` prefix (RFC 6265bis 4.1.3.2): Secure, for this host alone, with the
 * path `/`, and no other host can set one in its place. No script can read them, and no other site's form sends them.
 */
import type { FastifyReply } from 'fastify';

/** Names the session; lasts as long as the browser runs. */
export const sessionCookie = '__Host-clustral-session';
/** Takes the id token from signing out here to signing out at the provider. */
export const leavingCookie = '__Host-clustral-leaving';
/** Begins the name of a sign-in under way; the rest is the beginning of its `state`, so that two tabs can sign in. */
export const signInCookiePrefix = '__Host-clustral-sign-in-';

const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const;

/** Browsers drop a longer one without a word. */
export const longestCookie = 3_800;

/** Sets a cookie, for the given time or as long as the browser runs. */
export function setCookie(reply: FastifyReply, name: string, cookie: { value: string; seconds?: number }): void {
  const life = cookie.seconds === undefined ? {} : { maxAge: cookie.seconds };
  void reply.setCookie(name, cookie.value, { ...attributes, ...life });
}

export function removeCookie(reply: FastifyReply, name: string): void {
  void reply.setCookie(name, '', { ...attributes, maxAge: 0 });
}
