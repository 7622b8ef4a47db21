/**
 * The applications that may sign people in, and where each may send them back to. `clustral-control-plane` is no client,
 * it is the audience of access tokens; `someone-else` is the foreign client of the realm whose tokens must be refused
 * everywhere (ID-06).
 */
import type { Client, ClientMetadata } from 'oidc-provider';
import type Provider from 'oidc-provider';

export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code';

/** Native applications pick any free loopback port (RFC 8252 7.3); as in the Keycloak realm, any path. */
const loopbackRedirect = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::[1-9]\d{0,4})?(?:\/[\w.~/-]*)?$/;

/** For oidc-provider, which wants at least one address; `redirectAllowed` decides. */
const someLoopbackRedirect = ['http://127.0.0.1/callback'];

/** The clients as oidc-provider's configuration wants them. */
export function clientMetadata(webRedirectUris: readonly string[], webClientSecret: string): ClientMetadata[] {
  return [
    {
      client_id: 'clustral-cli',
      client_name: 'the Clustral command line',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: someLoopbackRedirect,
      grant_types: ['authorization_code', 'refresh_token', deviceGrantType],
      response_types: ['code'],
      response_modes: ['query'],
    },
    {
      client_id: 'clustral-web',
      client_name: 'the Clustral dashboard',
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: webClientSecret,
      redirect_uris: [...webRedirectUris],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      response_modes: ['query'],
    },
    {
      client_id: 'someone-else',
      client_name: 'an application that is not Clustral',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: someLoopbackRedirect,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      response_modes: ['query'],
    },
  ];
}

/** The audience of a client's access tokens: the control plane for Clustral's own, the client itself for any other. */
export function audienceOf(clientId: string): string {
  return clientId === 'clustral-cli' || clientId === 'clustral-web' ? 'clustral-control-plane' : clientId;
}

/** The resource indicator (RFC 8707) that stands for the audience: oidc-provider signs JWTs only for a resource, a URI. */
export function resourceOf(clientId: string): string {
  return `urn:clustral:audience:${audienceOf(clientId)}`;
}

/** Whether this client may be sent back there. The text itself is judged, not a parsed URL: what is odd is refused. */
export function redirectAllowed(client: Pick<Client, 'applicationType' | 'redirectUris'>, uri: string): boolean {
  return client.applicationType === 'native' ? loopbackRedirect.test(uri) : client.redirectUris?.includes(uri) === true;
}

/** After signing out: any page of an origin the client may be redirected to, as Keycloak's "+" means it. */
export function postLogoutRedirectAllowed(
  client: Pick<Client, 'applicationType' | 'redirectUris'>,
  uri: string,
): boolean {
  if (client.applicationType === 'native') return loopbackRedirect.test(uri);
  const origin = URL.parse(uri)?.origin;
  return origin !== undefined && client.redirectUris?.some((allowed) => URL.parse(allowed)?.origin === origin) === true;
}

/** Makes oidc-provider ask the two functions above (its own rule fixes the path of a loopback address). */
export function installRedirectRules(provider: Provider): void {
  const prototype: Client = provider.Client.prototype;
  prototype.redirectUriAllowed = function redirectUriAllowed(uri: string): boolean {
    return redirectAllowed(this, uri);
  };
  prototype.postLogoutRedirectUriAllowed = function postLogoutRedirectUriAllowed(uri: string): boolean {
    return postLogoutRedirectAllowed(this, uri);
  };
}
