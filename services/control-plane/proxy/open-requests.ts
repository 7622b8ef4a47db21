/**
 * Every proxied request that is open, found by what its permission rests on. When a fact could have taken that permission
 * away, the request is decided anew at once, by the same pure function that let it in; what no longer stands is ended
 * (D15). It also holds the limits on how many one credential and one person may have open (D41).
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { isFactType, type AnyFact } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { foldName } from '../domain/kubernetes-name.ts';
import type { Impersonation, Policy } from '../ports.ts';

export const openLimits = { perCredential: 200, upgradedPerCredential: 50, perUser: 400 } as const;
const sweepMs = 250;

/** Why the server ends a request. */
export type EndReason = Extract<ProxyOutcome['end'], 'revoked' | 'expired' | 'agent_lost' | 'failed'>;

/** A request while it is open. */
export type OpenRequest = {
  readonly clusterId: ClusterId;
  /** True when it asked for another protocol (exec, attach, port-forward): such ones have a limit of their own. */
  readonly upgraded: boolean;
  /** What it was let in with. */
  readonly impersonation: Impersonation;
  /** The decision taken again; throws the `Refusal` that it would get now. */
  decideAgain(): Impersonation;
  /** Ends it; called once at most. */
  end(reason: EndReason, refusal: Refusal): void;
};

export type OpenRequests = {
  /** Takes note of a request; `RATE_LIMITED` when its credential or person has too many open. Returns the remover. */
  add(request: OpenRequest): () => void;
  readonly size: number;
  /** Ends all of them, as when the process stops. */
  endAll(reason: EndReason, refusal: Refusal): void;
  stop(): void;
};

/** The registry of one process. `now` is the wall clock, by which access ends. */
export function createOpenRequests(policy: Pick<Policy, 'onFact'>, now: () => Date): OpenRequests {
  const requests = new Registry();
  const unsubscribe = policy.onFact((fact) => {
    // A type that is not of this build is met by the default branch below.
    for (const request of requests.touchedBy(fact as Recorded<AnyFact>)) review(request, fact, requests);
  });
  const sweep = setInterval(() => {
    const at = now();
    for (const request of requests.all) if (request.impersonation.notAfter <= at) expire(request, requests);
  }, sweepMs);
  sweep.unref();
  return {
    add(request) {
      requests.add(request);
      return () => requests.remove(request);
    },
    get size() {
      return requests.all.size;
    },
    endAll(reason, refusal) {
      for (const request of requests.all) end(request, requests, { reason, refusal });
    },
    stop() {
      unsubscribe();
      clearInterval(sweep);
    },
  };
}

function review(request: OpenRequest, fact: Recorded, requests: Registry): void {
  if (fact.type === 'cluster.agent_revoked') {
    const refusal = new Refusal('AGENT_NOT_CONNECTED', "The identity of the cluster's agent was revoked.");
    end(request, requests, { reason: 'agent_lost', refusal });
    return;
  }
  const refusal = refusalNow(request);
  if (refusal !== undefined) end(request, requests, { reason: 'revoked', refusal });
}

function expire(request: OpenRequest, requests: Registry): void {
  // What it was let in with has ended; whatever would let it in now has not been told to the agent.
  const refusal = refusalNow(request) ?? changed();
  end(request, requests, { reason: 'expired', refusal });
}

function refusalNow(request: OpenRequest): Refusal | undefined {
  try {
    return isSame(request.impersonation, request.decideAgain()) ? undefined : changed();
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
}

// Another grant of the same role to the same name changes nothing in the cluster.
function isSame(before: Impersonation, after: Impersonation): boolean {
  return (
    before.user === after.user &&
    before.basis.roleId === after.basis.roleId &&
    before.groups.length === after.groups.length &&
    before.groups.every((group, at) => group === after.groups[at])
  );
}

const changed = (): Refusal =>
  new Refusal('NO_ROLE_ASSIGNMENT', 'The access that this request was opened with has ended. Send it again.');

function end(request: OpenRequest, requests: Registry, why: { reason: EndReason; refusal: Refusal }): void {
  if (requests.remove(request)) request.end(why.reason, why.refusal);
}

class Registry {
  readonly all = new Set<OpenRequest>();
  readonly #byCredential = new Map<CredentialId, Set<OpenRequest>>();
  readonly #upgradedByCredential = new Map<CredentialId, Set<OpenRequest>>();
  readonly #byUser = new Map<UserId, Set<OpenRequest>>();
  readonly #byCluster = new Map<ClusterId, Set<OpenRequest>>();
  readonly #byRole = new Map<RoleId, Set<OpenRequest>>();

  add(request: OpenRequest): void {
    const { credentialId, userId, roleId } = request.impersonation.basis;
    const ofCredential = this.#byCredential.get(credentialId)?.size ?? 0;
    const upgraded = this.#upgradedByCredential.get(credentialId)?.size ?? 0;
    if (request.upgraded) {
      refuseOver(
        upgraded,
        openLimits.upgradedPerCredential,
        'exec, attach or port-forward streams are open with this credential',
      );
    } else {
      refuseOver(ofCredential - upgraded, openLimits.perCredential, 'requests are open with this credential');
    }
    refuseOver(this.#byUser.get(userId)?.size ?? 0, openLimits.perUser, 'requests are open by this person');
    this.all.add(request);
    put(this.#byCredential, credentialId, request);
    if (request.upgraded) put(this.#upgradedByCredential, credentialId, request);
    put(this.#byUser, userId, request);
    put(this.#byCluster, request.clusterId, request);
    put(this.#byRole, roleId, request);
  }

  /** False when it was not there any more. */
  remove(request: OpenRequest): boolean {
    if (!this.all.delete(request)) return false;
    const { credentialId, userId, roleId } = request.impersonation.basis;
    drop(this.#byCredential, credentialId, request);
    drop(this.#upgradedByCredential, credentialId, request);
    drop(this.#byUser, userId, request);
    drop(this.#byCluster, request.clusterId, request);
    drop(this.#byRole, roleId, request);
    return true;
  }

  /** The requests whose permission could rest on what the fact changed, as a copy. */
  touchedBy(fact: Recorded<AnyFact>): readonly OpenRequest[] {
    switch (fact.type) {
      case 'credential.revoked':
        return [...(this.#byCredential.get(fact.data.credentialId) ?? [])];
      case 'user.role_assigned':
      case 'user.role_unassigned':
      case 'access_request.approved':
      case 'access_request.revoked':
      case 'access_request.expired':
        return [...(this.#byUser.get(fact.data.userId) ?? [])].filter(
          ({ clusterId }) => clusterId === fact.data.clusterId,
        );
      case 'user.disabled':
      case 'user.enabled':
        return [...(this.#byUser.get(fact.data.userId) ?? [])];
      case 'user.synced': {
        // A verified e-mail takes the name from whoever only claimed it (D14), so namesakes are looked at too.
        const { userId, kubernetesName } = fact.data;
        const name = kubernetesName === null ? undefined : foldName(kubernetesName);
        return [...this.all].filter(
          ({ impersonation: { basis, user } }) => basis.userId === userId || foldName(user) === name,
        );
      }
      case 'role.updated':
      case 'role.deleted':
        return [...(this.#byRole.get(fact.data.roleId) ?? [])];
      case 'cluster.deleted':
      case 'cluster.agent_revoked':
        return [...(this.#byCluster.get(fact.data.clusterId) ?? [])];
      default:
        // A fact that this build cannot read may have ended anything (ES-04).
        return isFactType(fact.type) ? [] : [...this.all];
    }
  }
}

function put<Key>(index: Map<Key, Set<OpenRequest>>, key: Key, request: OpenRequest): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, new Set([request]));
  else found.add(request);
}

function drop<Key>(index: Map<Key, Set<OpenRequest>>, key: Key, request: OpenRequest): void {
  const found = index.get(key);
  if (found?.delete(request) === true && found.size === 0) index.delete(key);
}

function refuseOver(open: number, limit: number, what: string): void {
  if (open < limit) return;
  throw new Refusal('RATE_LIMITED', `${limit} ${what} already. End one of them, or wait until one is done.`, {
    retryAfterSeconds: '1',
    limit: String(limit),
  });
}
