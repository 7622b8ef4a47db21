/** What the checks look at, gathered once: this machine's side as it is on disk, and the server as the profile knows it. */
import type { CliContext } from '../context.ts';
import type { Account, Profile, ProfileConfig } from '../profile.ts';
import { serverCas } from '../trust.ts';

export type Patient = {
  readonly context: CliContext;
  readonly profile: Profile;
  readonly account: Account | undefined;
  /** Kubeconfig files, as kubectl reads them. */
  readonly files: readonly string[];
  /** True when what can be mended without a question shall be. */
  readonly mends: boolean;
};

/** The server that the profile is for. Only checks that need `server` ask: then there is one. */
export function serverOf({ profile }: Patient): { config: ProfileConfig; url: URL; cas: string[] } {
  const { config } = profile;
  if (config === undefined) throw new Error('a check of the server ran although none is known');
  return { config, url: new URL(config.server), cas: serverCas(config.caPem) };
}

/** The port that an address means. */
export const portOf = (url: URL): number => Number(url.port || (url.protocol === 'http:' ? 80 : 443));

/** The host of an address as sockets want it. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');
