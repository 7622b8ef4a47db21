/**
 * Kubeconfig credentials on this machine: issued for the signed-in account, cached in a file per account and cluster, one refresh at a time however many
 * kubectl start at once.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { parseClusterId } from '@clustral/schemas/ids.ts';
import type { Session } from './client.ts';
import { isFresh, readCached, type CachedCredential } from './credential-cache.ts';
import { CliError, exitCodes } from './failure.ts';
import { remove, writeJson } from './files.ts';
import { withLock } from './lock.ts';
import { cacheFolder, type Account, type Profile } from './profile.ts';

export type Issued = { readonly credential: CachedCredential; readonly hasRole: boolean };

/** What is wanted: `ttl` empty = the server's default. */
export type Wanted = { readonly clusterId: string; readonly ttl: string; readonly now: () => Date };

/** Issues a credential and caches it. */
export async function issueCredential(session: Session, { clusterId, ttl, now }: Wanted): Promise<Issued> {
  const issuedAt = now();
  const issued = await session.client(CredentialService).issueCredential({ clusterId, ttl });
  if (!issued.expiresAt) throw new CliError(exitCodes.failed, 'the server issued a credential without an end');
  const credential: CachedCredential = {
    clusterId,
    credentialId: issued.credentialId,
    token: issued.token,
    issuedAt: issuedAt.toISOString(),
    expiresAt: timestampDate(issued.expiresAt).toISOString(),
  };
  await writeJson(cacheFile(session, clusterId), credential);
  return { credential, hasRole: issued.hasRole };
}

/** A fresh credential: from the cache, or issued while others wait at most 5 s for the one who does it. */
export async function freshCredential(session: Session, wanted: Wanted): Promise<CachedCredential> {
  const path = cacheFile(session, wanted.clusterId);
  const cached = (): CachedCredential | undefined => {
    const found = readCached(path);
    return found !== undefined && isFresh(found, wanted.now().getTime()) ? found : undefined;
  };
  const busy = 'another clustral has been renewing this credential for a while';
  return withLock(`${path}.lock`, { limitMs: 5_000, busy, instead: cached }, async () => {
    return cached() ?? (await issueCredential(session, wanted)).credential;
  });
}

/** Forgets the cached credential of a cluster, then has it revoked. Returns false when there was none. */
export async function revokeCached(session: Session, clusterId: string): Promise<boolean> {
  const path = cacheFile(session, clusterId);
  const cached = readCached(path);
  remove(path);
  if (cached === undefined) return false;
  await session.client(CredentialService).revokeCredential({ id: cached.credentialId });
  return true;
}

/** Every credential that this machine has cached for the account. */
export function cachedCredentials(profile: Profile, account: Account): readonly CachedCredential[] {
  const folder = cacheFolder(profile, account);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => readCached(join(folder, name))).filter((cached) => cached !== undefined);
}

// A cluster's id may come from a server: only a UUID becomes the name of a file.
const cacheFile = (session: Session, clusterId: string): string =>
  join(cacheFolder(session.profile, session.account()), `${parseClusterId(clusterId)}.json`);
