/**
 * The login page of the embedded identity provider: shows the form, checks the password, hands the person back to
 * oidc-provider. Consent is given by signing in, so a `consent` prompt is answered without a page.
 *
 * The interaction is bound to the browser by an HttpOnly SameSite cookie with the path of this one page: a form posted
 * from another site carries none and finds no interaction.
 */
import type Provider from 'oidc-provider';
import type { Interaction, KoaContextWithOIDC } from 'oidc-provider';
import type { Accounts } from './accounts.ts';
import { readForm } from './form.ts';
import { contentSecurityPolicy } from './look.ts';
import { loginPage } from './pages.ts';

export const loginPath = /^\/login-actions\/[\w-]{1,64}$/;

type Login = { readonly provider: Provider; readonly accounts: Accounts; readonly mountPath: string };

/** Answers GET and POST of the login page; errors of oidc-provider (no such interaction, expired) are thrown on. */
export async function serveLogin(ctx: KoaContextWithOIDC, login: Login): Promise<void> {
  const interaction = await login.provider.interactionDetails(ctx.req, ctx.res);
  if (interaction.prompt.name === 'consent') {
    await sendBack(ctx, login, { consent: {} });
    return;
  }
  if (ctx.method === 'POST') await checkPassword(ctx, login, interaction);
  else await showForm(ctx, login, { interaction, status: 200, username: loginHint(interaction) });
}

async function checkPassword(ctx: KoaContextWithOIDC, login: Login, interaction: Interaction): Promise<void> {
  const form = await readForm(ctx.req);
  if (form.get('cancel') !== null) {
    await sendBack(ctx, login, { error: 'access_denied', error_description: 'The sign-in was cancelled.' });
    return;
  }
  const username = (form.get('username') ?? '').slice(0, 64);
  const result = await login.accounts.signIn(username, form.get('password') ?? '');
  switch (result.kind) {
    case 'welcome': {
      await endSessionOfAnother(login.provider, interaction, result.person.subject);
      await sendBack(ctx, login, { login: { accountId: result.person.subject, amr: ['pwd'] } });
      return;
    }
    case 'wrong':
      await showForm(ctx, login, { interaction, status: 403, username, problem: 'User name or password is wrong.' });
      return;
    case 'wait': {
      ctx.set('retry-after', String(result.retryAfterSeconds));
      const problem = `Too many attempts. Try again in ${result.retryAfterSeconds} s.`;
      await showForm(ctx, login, { interaction, status: 429, username, problem });
      return;
    }
    default:
      return result satisfies never;
  }
}

type Form = {
  readonly interaction: Interaction;
  readonly status: number;
  readonly username: string;
  readonly problem?: string;
};

async function showForm(ctx: KoaContextWithOIDC, login: Login, form: Form): Promise<void> {
  const { client_id: clientId, redirect_uri: redirectUri } = form.interaction.params;
  const client = await login.provider.Client.find(String(clientId));
  ctx.status = form.status;
  ctx.type = 'html';
  ctx.set('content-security-policy', contentSecurityPolicy(typeof redirectUri === 'string' ? redirectUri : undefined));
  ctx.body = loginPage({
    action: `${login.mountPath}/login-actions/${form.interaction.uid}`,
    clientName: client?.clientName ?? String(clientId),
    username: form.username,
    ...(form.problem === undefined ? {} : { problem: form.problem }),
  });
}

async function sendBack(
  ctx: KoaContextWithOIDC,
  login: Login,
  result: Parameters<Provider['interactionResult']>[2],
): Promise<void> {
  const returnTo = await login.provider.interactionResult(ctx.req, ctx.res, result);
  ctx.status = 303;
  ctx.redirect(returnTo);
}

/**
 * Somebody else signs in in the same browser. oidc-provider would end the first session with a page that submits itself
 * by script; it is ended here instead, before the new one begins.
 */
async function endSessionOfAnother(provider: Provider, interaction: Interaction, subject: string): Promise<void> {
  const earlier = interaction.session;
  if (earlier === undefined || earlier.accountId === subject) return;
  const session = await provider.Session.findByUid(earlier.uid);
  await session?.destroy();
  delete interaction.session;
  await interaction.persist();
}

function loginHint(interaction: Interaction): string {
  const hint = interaction.params['login_hint'];
  return typeof hint === 'string' ? hint.slice(0, 64) : '';
}
