/**
 * A sign-in under way, kept in the browser it began in: a sealed cookie that holds the secrets of the flow and where the person wants
 * to go. An answer of the provider is taken only together with the cookie of its own `state`, once, within ten minutes (UI-05);
 * nobody can make another browser sign in as them.
 */
import { timingSafeEqual } from 'node:crypto';
import { signInCookiePrefix } from './cookies.ts';
import type { SignInChecks } from './identity-provider.ts';
import type { Sealer } from './sealed.ts';

export type SignIn = { readonly checks: SignInChecks; readonly returnTo: string; readonly beganMs: number };

export const signInSeconds = 600;
/** Tabs of one browser that can be signing in at once. Cookies travel with every request, so they must not add up. */
const mostSignIns = 4;
const stateForm = /^[\w-]{43}$/;
const purpose = 'sign-in';

/** Name of the cookie of a sign-in. */
export const signInCookie = (state: string): string => `${signInCookiePrefix}${state.slice(0, 12)}`;

export const sealSignIn = (sealer: Sealer, signIn: SignIn): string =>
  sealer.seal(purpose, JSON.stringify(signIn)).toString('base64url');

/** The sign-in that belongs to a `state`, or nothing. */
export function openSignIn(
  sealer: Sealer,
  { state, cookies, nowMs }: { state: unknown; cookies: Cookies; nowMs: number },
): SignIn | undefined {
  if (typeof state !== 'string' || !stateForm.test(state)) return undefined;
  const text = sealer.open(purpose, Buffer.from(cookies[signInCookie(state)] ?? '', 'base64url'));
  if (text === undefined) return undefined;
  const signIn = JSON.parse(text) as SignIn;
  const isOwn = timingSafeEqual(Buffer.from(signIn.checks.state), Buffer.from(state));
  return isOwn && nowMs - signIn.beganMs < signInSeconds * 1_000 ? signIn : undefined;
}

type Cookies = Readonly<Record<string, string | undefined>>;

/** Cookies of sign-ins that have to go before one more is set. */
export function signInsTooMany(cookies: Cookies): readonly string[] {
  const names = Object.keys(cookies).filter((name) => name.startsWith(signInCookiePrefix));
  // In which order browsers send cookies is up to them: with too many all go, and the newest tab wins.
  return names.length < mostSignIns ? [] : names;
}
