/** Mistakes as pages that a person can act on. What oidc-provider did not expect itself is never shown, only logged. */
import type { Configuration } from 'oidc-provider';
import { contentSecurityPolicy } from './look.ts';
import { messagePage } from './pages.ts';

export const renderError: NonNullable<Configuration['renderError']> = (ctx, out, error) => {
  const [heading, advice] = explain(out.error, error);
  const detail = out.error_description === undefined ? [] : [sentence(out.error_description)];
  ctx.type = 'html';
  ctx.set('content-security-policy', contentSecurityPolicy());
  ctx.body = messagePage(heading, out.error === 'server_error' ? [advice] : [...detail, advice], out.error);
};

function explain(code: string, error: Error): [heading: string, advice: string] {
  if (error.name === 'SessionNotFound') {
    return ['This sign-in page is no longer valid', 'Go back to where you came from and sign in again.'];
  }
  switch (code) {
    case 'server_error':
      return ['Something went wrong here', 'The reason is in the log of the identity provider. Try again.'];
    case 'invalid_redirect_uri':
      return [
        'This sign-in cannot go back',
        'The application must be registered with the address it asks to return to.',
      ];
    case 'invalid_client':
      return ['Unknown application', 'The identity provider has no application of this name.'];
    default:
      return ['This sign-in was refused', 'Go back to the application and start again.'];
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}
