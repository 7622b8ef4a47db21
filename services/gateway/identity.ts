/**
 * All identity providers whose people are known here, as one: the one that people sign in at, and further ones whose tokens are taken as well, such as
 * that of a merged company. The gateway is ready when the keys of the first are known; one that is down takes only its own
 * people with it.
 */
import { createIdentityKeys, type IdentityKeys, type IdentityKeysOptions } from './identity-keys.ts';
import type { Issuer } from './config.ts';

export type Identity = Omit<IdentityKeys, 'candidates'> & {
  /** Each issuer with its keys. */
  readonly issuers: ReadonlyMap<string, IdentityKeys>;
};

/** The issuers; nothing is fetched before `start` or a first token. */
export function createIdentity(
  issuers: readonly [Issuer, ...Issuer[]],
  options: Omit<IdentityKeysOptions, 'authority' | 'metadataAddress'>,
): Identity {
  const [first, ...further] = issuers.map((issuer) => createIdentityKeys({ ...issuer, ...options })) as [IdentityKeys];
  const all: readonly IdentityKeys[] = [first, ...further];
  return {
    issuers: new Map(issuers.map(({ authority }, index) => [authority, all[index] ?? first])),
    generation: () => all.reduce((sum, keys) => sum + keys.generation(), 0),
    notReady: () => first.notReady(),
    start: () => all.forEach((keys) => keys.start()),
    stop: () => all.forEach((keys) => keys.stop()),
  };
}
