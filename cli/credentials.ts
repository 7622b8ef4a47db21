/**
 * Kubeconfig credentials on this machine: issued for the signed-in account, cached in a file per account and cluster, one refresh at a time however many
 * kubectl start at once.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import type { Session } from './client.ts';
import { isFresh, type CachedCredential } from './credential-cache.ts';
import { CliError, exitCodes } from './failure.ts';
import { lockFile, readJson, writeJson } from './files.ts';
import { cacheFolder, type Account, type Profile } from './profile.ts';

export type Issued = { readonly credential: CachedCredential; readonly hasRole: boolean };

const cacheFile = (session: Session, clusterId: string): string =>
  join(cacheFolder(session.profile, session.account()), `${clusterId}.json`);

/** Issues a credential and caches it. `ttl` empty = the server's default. */
export async function issueCredential(
  session: Session,
  { clusterId, ttl, now }: { clusterId: string; ttl: string; now: Date },
): Promise<Issued> {
  const issued = await session.client(CredentialService).issueCredential({ clusterId, ttl });
  if (!issued.expiresAt) throw new CliError(exitCodes.failed, 'the server issued a credential without an end');
  const credential: CachedCredential = {
    clusterId,
    credentialId: issued.credentialId,
    token: issued.token,
    issuedAt: now.toISOString(),
    expiresAt: timestampDate(issued.expiresAt).toISOString(),
  };
  await writeJson(cacheFile(session, clusterId), credential);
  return { credential, hasRole: issued.hasRole };
}

/** The cached credential of a cluster, fresh or not. */
export function cachedCredential(session: Session, clusterId: string): CachedCredential | undefined {
  return readJson<CachedCredential>(cacheFile(session, clusterId));
}

/** A fresh credential: from the cache, or issued while others wait at most 10 s for the one who does it. */
export async function freshCredential(
  session: Session,
  { clusterId, now }: { clusterId: string; now: () => Date },
): Promise<CachedCredential> {
  const unlock = await lockFile(`${cacheFile(session, clusterId)}.lock`, {
    limitMs: 10_000,
    busy: 'another clustral has been renewing this credential for 10 s',
  });
  try {
    const cached = cachedCredential(session, clusterId);
    if (cached !== undefined && isFresh(cached, now().getTime())) return cached;
    return (await issueCredential(session, { clusterId, ttl: '', now: now() })).credential;
  } finally {
    unlock();
  }
}

/** Forgets and revokes the cached credential of a cluster. Returns false when there was none or the server was not told. */
export async function revokeCached(session: Session, clusterId: string): Promise<boolean> {
  const cached = cachedCredential(session, clusterId);
  rmSync(cacheFile(session, clusterId), { force: true });
  if (cached === undefined) return false;
  await session.client(CredentialService).revokeCredential({ id: cached.credentialId });
  return true;
}

/** Every credential that this machine has cached for the account. */
export function cachedCredentials(profile: Profile, account: Account): readonly CachedCredential[] {
  const folder = cacheFolder(profile, account);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => readJson<CachedCredential>(join(folder, name))).filter((cached) => cached !== undefined);
}
