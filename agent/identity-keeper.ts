/**
 * The identity while the agent runs: reads it where it is kept before each use, since another process of the same agent may have
 * renewed it, and changes it only while no other does (D36). It says no secret to anybody but the control plane.
 */
import { X509Certificate } from 'node:crypto';
import { certificatesOf } from '@clustral/kernel/x509.ts';
import { enrol, renewCertificate, renewToken } from './enrolment.ts';
import { firstTrust } from './first-contact.ts';
import { bootstrapHash, isBundle, type Identity } from './identity.ts';
import { IdentityUnreachable, type IdentityStore } from './identity-store.ts';

export type KeeperOptions = {
  readonly store: IdentityStore;
  readonly url: URL;
  readonly clusterId: string;
  readonly caFile: string | undefined;
  /** The bootstrap token as it stands now. */
  readonly bootstrapToken: () => string | undefined;
};

export class IdentityKeeper {
  readonly #options: KeeperOptions;
  #current: Identity | undefined;
  /** How often an identity was kept by this process. */
  #kept = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** As last read or written. */
  get current(): Identity | undefined {
    return this.#current;
  }

  /** Reads it, or gives what was last read while it cannot be: an agent that serves goes on. Rejects when nothing was. */
  async load(): Promise<Identity | undefined> {
    try {
      return await this.#read();
    } catch (error) {
      if (error instanceof IdentityUnreachable && this.#current) return this.#current;
      throw error;
    }
  }

  // An identity of another cluster does not count: the agent was told to speak for this one.
  async #read(): Promise<Identity | undefined> {
    const before = this.#kept;
    const identity = await this.#options.store.load();
    // What was kept meanwhile is newer than what was read.
    if (before === this.#kept) this.#current = identity?.clusterId === this.#options.clusterId ? identity : undefined;
    return this.#current;
  }

  /** A bootstrap token that the present identity did not come from; undefined when there is none. */
  invitation(): string | undefined {
    const token = this.#options.bootstrapToken();
    return token === undefined || bootstrapHash(token) === this.#current?.bootstrapHash ? undefined : token;
  }

  /**
   * Redeems the token, or takes the identity that another process of this agent got meanwhile. `instead` replaces the present
   * identity. Rejects with `UntrustedServer`, `Refusal`, Connect's or node's error.
   */
  async enrol(bootstrapToken: string, instead?: 'instead'): Promise<Identity> {
    const { store, url, clusterId, caFile } = this.#options;
    return store.exclusive(async () => {
      const found = await this.#read();
      if (found && (!instead || found.bootstrapHash === bootstrapHash(bootstrapToken))) return found;
      const ca = await firstTrust({ url, bootstrapToken, caFile });
      const keys = await store.pendingKey();
      return this.#keep(await enrol({ url, ca, clusterId, bootstrapToken, keys }));
    });
  }

  /** Renews what is there, unless another process did so since `before` was read. */
  renewCertificate(before: Identity): Promise<Identity> {
    const { store, url } = this.#options;
    return this.#renew(before, 'certificatePem', async (identity) =>
      renewCertificate(url, identity, await store.pendingKey()),
    );
  }

  /** The same for the token. */
  renewToken(before: Identity): Promise<Identity> {
    return this.#renew(before, 'token', (identity) => renewToken(this.#options.url, identity));
  }

  /**
   * Takes a new set of CAs (D17). False when nothing was kept, since the set is not usable or would not trust the control plane
   * that sent it, whose certificate is `server`.
   */
  async trust(caBundlePem: string, server: X509Certificate): Promise<boolean> {
    if (!isBundle(caBundlePem) || !signedByOneOf(caBundlePem, server)) return false;
    if (this.#current?.caBundlePem === caBundlePem) return true;
    await this.#options.store.exclusive(async () => {
      const found = await this.#read();
      if (found && found.caBundlePem !== caBundlePem) await this.#keep({ ...found, caBundlePem });
    });
    return true;
  }

  #renew(
    before: Identity,
    field: 'certificatePem' | 'token',
    ask: (identity: Identity) => Promise<Identity>,
  ): Promise<Identity> {
    return this.#options.store.exclusive(async () => {
      const found = await this.#read();
      if (!found) throw new Error('The identity of this agent is no longer where it was kept.');
      return found[field] === before[field] ? this.#keep(await ask(found)) : found;
    });
  }

  async #keep(identity: Identity): Promise<Identity> {
    await this.#options.store.save(identity);
    this.#kept += 1;
    this.#current = identity;
    return identity;
  }
}

function signedByOneOf(caBundlePem: string, server: X509Certificate): boolean {
  return certificatesOf(caBundlePem).some((pem) => {
    const authority = new X509Certificate(pem);
    return server.checkIssued(authority) && server.verify(authority.publicKey);
  });
}
