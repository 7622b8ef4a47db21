/**
 * The policy streams folded into maps: who may do what, as of one position of the log. It takes facts in log order,
 * drops void ones (D18), and marks the subject of a fact that it cannot read: every question about that subject is then
 * refused (ES-04). It does no I/O and knows no deadline; `policy.ts` feeds it. It can be taken apart and built again from
 * its parts (D25): both must be the same fold to everybody who asks.
 */
import { accessStream, type AccessFact } from '@clustral/schemas/events/access.ts';
import { clusterStream, type ClusterFact } from '@clustral/schemas/events/cluster.ts';
import { credentialStream, type CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { EpochLedger, leaseStream } from '@clustral/schemas/events/lease.ts';
import { roleStream, type RoleFact } from '@clustral/schemas/events/role.ts';
import { userStream, type UserFact } from '@clustral/schemas/events/user.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { AccessIndex } from './access-index.ts';
import { CredentialIndex } from './credential-index.ts';
import type { AccessState, KnownAccess } from './domain/access.ts';
import { evolveCluster, initialCluster, type ClusterState } from './domain/cluster.ts';
import type { CredentialCounts, CredentialState, KnownCredential } from './domain/credential.ts';
import { evolveRole, initialRole, type RoleState } from './domain/role.ts';
import type { UserState } from './domain/user.ts';
import { noParts, type Ending, type FoldParts, type TakeOver } from './fold-parts.ts';
import { liveName, rename } from './fold-names.ts';
import { decodePolicyFact, unreadableStream, type PolicyFact } from './policy-facts.ts';
import { RequestIndex, type RequestPlace } from './request-index.ts';
import { UserIndex } from './user-index.ts';

/** What became of a fact. */
export type Taken = 'taken' | 'void' | 'unreadable';

export class PolicyFold {
  readonly #clusters: Map<ClusterId, ClusterState>;
  readonly #clusterNames: Map<string, ClusterId>;
  readonly #roles: Map<RoleId, RoleState>;
  readonly #roleNames: Map<string, RoleId>;
  readonly #users: UserIndex;
  readonly #access: AccessIndex;
  readonly #requests: RequestIndex;
  readonly #credentials: CredentialIndex;
  readonly #endings: Map<string, Ending>;
  readonly #unreadable: Set<string>;
  readonly #ledger = new EpochLedger();
  readonly #takeOvers: TakeOver[];
  readonly #now: () => number;

  /**
   * @param now wall clock in milliseconds, by which credentials end and hours pass
   * @param parts of a fold that took what lies before the first fact that this one will take
   */
  constructor(now: () => number, parts: FoldParts = noParts) {
    this.#now = now;
    this.#clusters = new Map(parts.clusters);
    this.#clusterNames = new Map(parts.clusterNames);
    this.#roles = new Map(parts.roles);
    this.#roleNames = new Map(parts.roleNames);
    this.#users = new UserIndex(parts.users);
    this.#access = new AccessIndex(parts.access);
    this.#requests = new RequestIndex(parts);
    this.#credentials = new CredentialIndex(parts, this.#nowSeconds());
    this.#endings = new Map(parts.endings);
    this.#unreadable = new Set(parts.unreadable);
    this.#takeOvers = [...parts.takeOvers];
    this.#ledger.epoch = this.#takeOvers.at(-1)?.epoch ?? 0;
  }

  /** What it knows now. A fold built from it goes on where this one is. */
  parts(): FoldParts {
    return {
      clusters: [...this.#clusters],
      clusterNames: [...this.#clusterNames],
      roles: [...this.#roles],
      roleNames: [...this.#roleNames],
      users: this.#users.parts(),
      access: this.#access.parts(),
      endings: [...this.#endings],
      unreadable: [...this.#unreadable],
      takeOvers: [...this.#takeOvers],
      ...this.#requests.parts(),
      ...this.#credentials.parts(),
    };
  }

  /** Folds one fact. Facts must come in log order, each once. */
  take(recorded: Recorded): Taken {
    const fact = decodePolicyFact(recorded);
    if (!fact) {
      this.#unreadable.add(recorded.stream);
      return 'unreadable';
    }
    if (this.#ledger.isVoid(fact)) return 'void';
    this.#apply(fact);
    return 'taken';
  }

  /** True for a fact of a writer that had lost the lease before the fact got into the log (D18). */
  isVoid({ position, epoch }: { readonly position: bigint; readonly epoch: number }): boolean {
    const before = this.#takeOvers.findLast((takeOver) => takeOver.position < position);
    return before !== undefined && epoch < before.epoch;
  }

  cluster(id: ClusterId): ClusterState | undefined {
    this.#assertReadable(clusterStream(id));
    return this.#clusters.get(id);
  }
  clusterByName(name: string): ClusterState | undefined {
    const id = this.#clusterNames.get(name);
    return id === undefined ? undefined : this.#clusters.get(id);
  }
  allClusters(): Iterable<ClusterState> {
    return this.#clusters.values();
  }
  role(id: RoleId): RoleState | undefined {
    this.#assertReadable(roleStream(id));
    return this.#roles.get(id);
  }
  roleByName(name: string): RoleState | undefined {
    const id = this.#roleNames.get(name);
    return id === undefined ? undefined : this.#roles.get(id);
  }
  user(id: UserId): UserState | undefined {
    this.#assertReadable(userStream(id));
    return this.#users.get(id);
  }
  userByKubernetesName(foldedName: string): readonly UserState[] {
    return this.#users.named(foldedName);
  }
  access(userId: UserId, clusterId: ClusterId): AccessState | undefined {
    this.#assertReadable(accessStream(userId, clusterId));
    return this.#access.get(userId, clusterId);
  }
  accessOf(userId: UserId): readonly KnownAccess[] {
    return this.#access.of(userId);
  }
  allAccess(): Iterable<KnownAccess> {
    return this.#access.all();
  }
  /** Every access with a request or grant that no fact has ended. */
  openAccess(): ReadonlySet<KnownAccess> {
    const open = [...this.#requests.openPlaces()];
    return new Set(open.flatMap(({ userId, clusterId }) => this.#access.get(userId, clusterId) ?? []));
  }
  /** Whose an access request is; undefined for one that was never made or ended long ago. */
  requestPlace(accessRequestId: string): RequestPlace | undefined {
    return this.#requests.place(accessRequestId);
  }
  credential(id: CredentialId): CredentialState | undefined {
    this.#assertReadable(credentialStream(id));
    return this.#credentials.get(id);
  }
  liveCredentials(): Iterable<KnownCredential> {
    return this.#credentials.live(this.#nowSeconds());
  }
  credentialCounts(userId: UserId, clusterId: ClusterId): CredentialCounts {
    return this.#credentials.counts(userId, clusterId, this.#nowSeconds());
  }
  revokesDeniedLastHour(actorId: string): number {
    return this.#credentials.deniedLastHour(actorId, this.#nowSeconds());
  }
  ending(stream: string): Ending | undefined {
    return this.#endings.get(stream);
  }

  /** Throws `STORE_UNAVAILABLE` when a fact of that stream could not be read. */
  #assertReadable(stream: string): void {
    if (this.#unreadable.has(stream)) throw unreadableStream(stream);
  }
  /** Throws `STORE_UNAVAILABLE` when the lease itself could not be read: nothing is known of anybody then. */
  assertLeaseReadable(): void {
    this.#assertReadable(leaseStream);
  }

  #apply(fact: Recorded<PolicyFact>): void {
    const { type } = fact;
    if (type === 'control_plane.took_over') {
      this.#takeOvers.push({ position: fact.position, epoch: fact.data.epoch });
    } else if (isOf<ClusterFact>(fact, 'cluster-')) {
      this.#applyCluster(fact);
    } else if (isOf<RoleFact>(fact, 'role-')) {
      this.#applyRole(fact);
    } else if (isOf<UserFact>(fact, 'user-')) {
      this.#users.take(fact);
    } else if (isOf<AccessFact>(fact, 'access-')) {
      const changed = this.#access.take(fact);
      if (changed) this.#requests.take(changed.before, changed.after);
    } else if (isOf<CredentialFact>(fact, 'credential-')) {
      this.#credentials.take(fact, this.#nowSeconds());
    }
    if (type === 'cluster.deleted' || type === 'role.deleted' || type === 'user.disabled')
      this.#endings.set(fact.stream, { factId: fact.id, correlationId: fact.metadata.$correlationId });
  }

  #applyCluster(fact: Recorded<ClusterFact>): void {
    const { clusterId } = fact.data;
    const before = this.#clusters.get(clusterId);
    const after = evolveCluster(before ?? initialCluster, fact);
    this.#clusters.set(clusterId, after);
    rename(this.#clusterNames, clusterId, { before: liveName(before), after: liveName(after) });
  }

  #applyRole(fact: Recorded<RoleFact>): void {
    const { roleId } = fact.data;
    const before = this.#roles.get(roleId);
    const after = evolveRole(before ?? initialRole, fact);
    this.#roles.set(roleId, after);
    rename(this.#roleNames, roleId, { before: liveName(before), after: liveName(after) });
  }

  #nowSeconds(): number {
    return Math.floor(this.#now() / 1000);
  }
}

// Decoding has made sure that a fact lies on a stream of its own category.
const isOf = <F extends PolicyFact>(fact: Recorded<PolicyFact>, prefix: string): fact is Recorded<F> & typeof fact =>
  fact.stream.startsWith(prefix);
