/** The discovery document: what a CLI must know of this installation before anybody signed in. Public by nature. */
import type { DiscoveryDocument } from '@clustral/schemas/discovery.ts';
import type { WebConfig } from './config.ts';
import manifest from './package.json' with { type: 'json' };

/** Scopes of a sign-in. Refresh tokens live as long as the session at the provider: nothing here asks for ones that outlive it. */
const scopes = ['openid', 'profile', 'email'];

/** The document at `discoveryPath`. */
export function discoveryDocument(discovery: WebConfig['discovery']): DiscoveryDocument {
  return { version: manifest.version, ...discovery, oidcScopes: scopes };
}
