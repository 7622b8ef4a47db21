/**
 * What stands in front of oidc-provider's routes: the headers every answer carries, our own pages (login), and the few
 * places where oidc-provider would answer with a page that needs script.
 */
import type { JWK } from 'jose';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Accounts } from './accounts.ts';
import { prefillUserCode } from './device-flow.ts';
import { renderError } from './error-page.ts';
import { loginPath, serveLogin } from './login.ts';
import { contentSecurityPolicy } from './look.ts';
import { messagePage } from './pages.ts';
import { finishWithoutSession } from './sign-out.ts';
import { createUserinfo, userinfoPath } from './userinfo.ts';

type Pages = {
  readonly provider: Provider;
  readonly accounts: Accounts;
  readonly mountPath: string;
  readonly signingKeys: readonly JWK[];
};

type Handler = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

export function installPages(pages: Pages): void {
  const serveUserinfo = createUserinfo(pages);
  const route: Handler = async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (ctx.path === userinfoPath && (isRead || ctx.method === 'POST')) {
      await serveUserinfo(ctx);
    } else if (loginPath.test(ctx.path) && (isRead || ctx.method === 'POST')) {
      await serveLogin(ctx, pages).catch((error: unknown) => showRefusal(ctx, error));
    } else {
      if (ctx.path === '/device' && isRead) prefillUserCode(ctx);
      await next();
      if (ctx.path === '/protocol/openid-connect/logout') finishWithoutSession(ctx);
      if (ctx.status === 404 && ctx.body === undefined) showNotFound(ctx);
    }
  };
  pages.provider.use(async (ctx, next) => {
    setHeaders(ctx);
    await route(ctx as KoaContextWithOIDC, next);
  });
}

function setHeaders(ctx: Pick<KoaContextWithOIDC, 'set'>): void {
  ctx.set({
    'content-security-policy': contentSecurityPolicy(),
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
}

/** oidc-provider's "no" (an expired or foreign interaction) becomes a page; anything else is a bug and goes on up. */
function showRefusal(ctx: KoaContextWithOIDC, error: unknown): void {
  if (!(error instanceof Error) || !('error' in error) || !('statusCode' in error) || !('expose' in error)) throw error;
  if (error.expose !== true) throw error;
  const description = 'error_description' in error ? String(error.error_description) : undefined;
  ctx.status = Number(error.statusCode);
  void renderError(ctx, { error: String(error.error), error_description: description }, error);
}

function showNotFound(ctx: KoaContextWithOIDC): void {
  ctx.status = 404;
  if (ctx.accepts('json', 'html') === 'html') {
    ctx.type = 'html';
    ctx.body = messagePage('There is no such page', [
      'Check the address, or go back to the application and sign in again.',
    ]);
  } else {
    ctx.body = { error: 'not_found', error_description: 'The identity provider has no such path.' };
  }
}
