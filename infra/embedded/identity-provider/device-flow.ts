/**
 * The device flow as people meet it: enter the code, confirm, sign in, done. oidc-provider would submit a code from the
 * link by script; here the person reads the code and presses the button, which is also what makes a link that somebody
 * sent them stand out (RFC 8628 5.4).
 */
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { readDeviceChallenge } from './device-pkce.ts';
import { contentSecurityPolicy } from './look.ts';
import { deviceCodePage, deviceConfirmPage, messagePage } from './pages.ts';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

const prefilled = 'userCodeFromLink';
const userCodeFormat = /^[A-Za-z -]{1,32}$/;

export function deviceFlow(action: string): DeviceFlow {
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: (ctx) => ({ codeChallenge: readDeviceChallenge(ctx.oidc.body) }),
    userCodeInputSource(...[ctx, , out, error]) {
      const problem = error === undefined ? undefined : explain(error, out?.error_description);
      const typed = error === undefined ? ctx.state[prefilled] : ctx.oidc.body?.['user_code'];
      ctx.type = 'html';
      ctx.body = deviceCodePage({
        action,
        formSecret: formSecretOf(ctx),
        userCode: typeof typed === 'string' ? typed.slice(0, 32) : '',
        ...(problem === undefined ? {} : { problem }),
      });
    },
    userCodeConfirmSource(...[ctx, , client, , userCode]) {
      ctx.type = 'html';
      ctx.body = deviceConfirmPage({
        action,
        formSecret: formSecretOf(ctx),
        userCode,
        clientName: client.clientName ?? client.clientId,
      });
    },
    successSource(ctx) {
      const name = ctx.oidc.client?.clientName ?? 'The device';
      ctx.type = 'html';
      ctx.set('content-security-policy', contentSecurityPolicy());
      ctx.body = messagePage('The device is connected', [
        `You are signed in to ${name}. Go back to the device; you can close this page.`,
      ]);
    },
  };
}

/** Takes the code out of the link before oidc-provider sees it, and remembers it for the form. */
export function prefillUserCode(ctx: KoaContextWithOIDC): void {
  const userCode = ctx.query['user_code'];
  if (typeof userCode === 'string' && userCodeFormat.test(userCode)) ctx.state[prefilled] = userCode;
  ctx.querystring = '';
}

/** The secret that ties the form to the session: oidc-provider makes it and checks it. */
export function formSecretOf(ctx: KoaContextWithOIDC): string {
  const secret = ctx.oidc.session?.state?.['secret'];
  if (typeof secret !== 'string') throw new Error('oidc-provider has not made a form secret for this page');
  return secret;
}

function explain(error: Error, description: string | undefined): string {
  switch (error.name) {
    case 'NoCodeError':
      return 'Enter the code that the device shows.';
    case 'NotFoundError':
      return 'There is no such code. Compare it with the device and try again.';
    case 'ExpiredError':
      return 'This code has expired. Start the sign-in on the device again.';
    case 'AlreadyUsedError':
      return 'This code was already used. Start the sign-in on the device again.';
    case 'AbortedError':
      return 'Stopped: the device was not connected.';
    default:
      return `That did not work: ${description ?? 'the request was refused'}. Start the sign-in on the device again.`;
  }
}
