/**
 * Signing out (OpenID Connect RP-Initiated Logout 1.0), as Keycloak does it: with a good `id_token_hint` of the person
 * who is signed in at once, without one after a question, and without a session there is nothing to ask about.
 *
 * Ending the session ends every refresh token that was made in it; those with `offline_access` stay.
 */
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { formSecretOf } from './device-flow.ts';
import { contentSecurityPolicy } from './look.ts';
import { messagePage, signOutPage } from './pages.ts';

type RpInitiatedLogout = NonNullable<NonNullable<Configuration['features']>['rpInitiatedLogout']>;

export function signOut(confirmAction: string, cookiePath: string): RpInitiatedLogout {
  return {
    enabled: true,
    async logoutSource(ctx) {
      const hinted = ctx.oidc.entities.IdTokenHint?.payload['sub'];
      if (hinted !== undefined && hinted === ctx.oidc.session?.accountId) {
        await ctx.oidc.session?.destroy();
        ctx.cookies.set(ctx.oidc.provider.cookieName('session'), null, { path: cookiePath, signed: true });
        leave(ctx);
        return;
      }
      ctx.type = 'html';
      ctx.set('content-security-policy', contentSecurityPolicy(returnAddress(ctx)));
      ctx.body = signOutPage({ action: confirmAction, formSecret: formSecretOf(ctx) });
    },
    postLogoutSuccessSource: showSignedOut,
  };
}

/** After oidc-provider handled the logout endpoint: replaces the page it makes when nobody is signed in (a script). */
export function finishWithoutSession(ctx: KoaContextWithOIDC): void {
  if (ctx.status !== 200 || ctx.oidc?.session === undefined) return;
  if (ctx.oidc.session.accountId === undefined) leave(ctx);
}

function leave(ctx: KoaContextWithOIDC): void {
  const address = returnAddress(ctx);
  if (address === undefined) {
    showSignedOut(ctx);
    return;
  }
  const target = new URL(address);
  const state = ctx.oidc.params?.['state'];
  if (typeof state === 'string') target.searchParams.set('state', state);
  ctx.status = 303;
  ctx.redirect(target.href);
}

/** Checked by oidc-provider against the client before it is seen here. */
function returnAddress(ctx: KoaContextWithOIDC): string | undefined {
  const address = ctx.oidc.params?.['post_logout_redirect_uri'];
  return typeof address === 'string' ? address : undefined;
}

function showSignedOut(ctx: KoaContextWithOIDC): void {
  ctx.status = 200;
  ctx.type = 'html';
  ctx.body = messagePage('You are signed out', ['You can close this page.']);
}
