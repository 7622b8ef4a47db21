/**
 * The seams inside the control plane: what deciding (policy, commands), carrying (tunnel) and proxying may ask of each
 * other. Each is one small interface with one implementation; a registry of tunnels that spans several control planes
 * would come in behind `Agents` without moving a wall (D18).
 */
import type { Fact, FactMetadata, Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { DecisionBasis } from '@clustral/schemas/events/proxy.ts';
import type { AccessState } from './domain/access.ts';
import type { ClusterState } from './domain/cluster.ts';
import type { CredentialState } from './domain/credential.ts';
import type { RoleState } from './domain/role.ts';
import type { UserState } from './domain/user.ts';

/** Who and what caused a command: becomes the metadata of its facts (D27). The epoch is added by `Commands`. */
export type Cause = Omit<FactMetadata, 'epoch' | 'schemaVersion'>;

/** One command on one stream. */
export type Command<S, F extends Fact> = {
  readonly stream: string;
  readonly initial: S;
  readonly evolve: (state: S, fact: Recorded<F>) => S;
  /** Pure: facts to append, none when nothing changes, or a thrown `Refusal`. */
  readonly decide: (state: S) => readonly F[];
  readonly cause: Cause;
  /** Commands with one key run one after the other: for rules that span streams, such as unique names. */
  readonly exclusive?: string;
};

/** What a command left: the folded state, the stream's revision, and where its last fact is in the log. */
export type CommandResult<S> = { readonly state: S; readonly revision: number; readonly position: bigint | undefined };

/** Runs commands: load, fold, decide, append with the exact revision, wait until the policy fold has it (D16). */
export interface Commands {
  run<S, F extends Fact>(command: Command<S, F>): Promise<CommandResult<S>>;
}

/** The in-process fold of the policy streams: always what was last acknowledged, never a read model (D16). */
export interface Policy {
  cluster(id: ClusterId): ClusterState | undefined;
  clusterByName(name: string): ClusterState | undefined;
  role(id: RoleId): RoleState | undefined;
  roleByName(name: string): RoleState | undefined;
  user(id: UserId): UserState | undefined;
  /** Every person known, for the rules about names (D14). */
  userByKubernetesName(foldedName: string): readonly UserState[];
  access(userId: UserId, clusterId: ClusterId): AccessState | undefined;
  credential(id: CredentialId): CredentialState | undefined;
  /** Throws `STORE_UNAVAILABLE` unless the lease was confirmed at most 3 s ago and the fold is live (D16, D18). */
  assertFresh(): void;
  /** Resolves when the fold has reached the position; `STORE_UNAVAILABLE` after `deadlineMs`. */
  reached(position: bigint, deadlineMs: number): Promise<void>;
  /** Called synchronously with every fact that the fold took, in order, after it took it. Returns the unsubscriber. */
  onFact(listener: (fact: Recorded) => void): () => void;
}

/** Whom a request is made as, and until when that holds. */
export type Impersonation = {
  readonly user: string;
  readonly groups: readonly string[];
  /** The earliest end of what the decision rests on. */
  readonly notAfter: Date;
  readonly basis: DecisionBasis;
};

/** One kubectl request to be carried to a cluster. `target` and headers hold one char per byte (latin1), as on the wire. */
export type LaneCall = {
  readonly clusterId: ClusterId;
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value; hop-by-hop and identity headers already taken out. */
  readonly headers: readonly string[];
  readonly impersonateUser: string;
  readonly impersonateGroups: readonly string[];
  readonly requestId: string;
  readonly headTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly notAfter: Date;
  readonly upgrade: boolean;
  /** True when no body follows: the end travels with the head. */
  readonly bodyless: boolean;
};

/**
 * What the caller of a lane is told, in order: head once, then data, then exactly one of end and fail. After a head 101 `end`
 * closes this direction only: the other goes on until the caller ends it, and may still fail.
 */
export type LaneHandlers = {
  head(status: number, headers: readonly string[]): void;
  /** Returns false to stop the flow until `resume`. */
  data(chunk: Buffer): boolean;
  end(): void;
  /** Before a head: answer with it. After a head: abort, so that nothing cut short looks whole (PX-20). */
  fail(refusal: Refusal): void;
  /** The lane can take more body after `write` returned false. */
  drain(): void;
};

/** The sending half of a carried request. */
export type LaneExchange = {
  /** Sends body bytes; false = stop until `drain`. Of an upgrade not before its head 101 (UP-01). */
  write(chunk: Buffer): boolean;
  end(): void;
  resume(): void;
  /**
   * The client is gone or the access ended: resets the lane, which cancels all the way to the API server. No handler is
   * called after. Does nothing to a request that is over.
   */
  cancel(): void;
};

/** What is known of a connected agent, in memory only (D35). */
export type AgentPresence = {
  readonly connectedAt: Date;
  readonly lastHeartbeatAt: Date;
  readonly roundTripMs: number | undefined;
  readonly agentVersion: string;
  readonly kubernetesVersion: string;
};

/** The registry of connected agents. */
export interface Agents {
  /** Takes a lane of the cluster's agent. Every failure arrives by `handlers.fail`, also "not connected". */
  open(call: LaneCall, handlers: LaneHandlers): LaneExchange;
  presence(clusterId: ClusterId): AgentPresence | undefined;
}
