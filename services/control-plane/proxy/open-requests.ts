/**
 * Every proxied request that is open, found by what its permission rests on. When a fact could have taken that permission
 * away, the request is decided anew at once, by the same pure function that let it in; what no longer stands is ended
 * (D15). It also holds the limits on how many one credential and one person may have open (D41).
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { isFactType, type AnyFact } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, UserId } from '@clustral/schemas/ids.ts';
import { foldName } from '../domain/kubernetes-name.ts';
import type { Impersonation, Policy } from '../ports.ts';
import { Crowd, type Place } from './crowd.ts';

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
  /** Ends it; called once at most, and never after it was removed. */
  cut(reason: EndReason, refusal: Refusal): void;
  /** Called a few times a second while it is open. */
  tick(): void;
};

export type OpenPlace = Place<OpenRequest>;

export type OpenRequests = {
  /** Takes note of a request; `RATE_LIMITED` when its credential or person has too many open. Returns what `remove` takes. */
  add(request: OpenRequest): OpenPlace;
  /** To be called when it is over; does nothing the second time. */
  remove(place: OpenPlace): void;
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
    const isTouched = touchedBy(fact as Recorded<AnyFact>);
    if (isTouched === undefined) return;
    for (const place of requests.open.those(isTouched)) review(place, fact, requests);
  });
  const sweep = setInterval(() => {
    const at = now();
    for (const place of requests.open.all()) {
      if (place.member.impersonation.notAfter <= at) expire(place, requests);
      else place.member.tick();
    }
  }, sweepMs);
  sweep.unref();
  return {
    add: (request) => requests.add(request),
    remove: (place) => void requests.remove(place),
    get size() {
      return requests.open.size;
    },
    endAll(reason, refusal) {
      for (const place of requests.open.all()) end(place, requests, { reason, refusal });
    },
    stop() {
      unsubscribe();
      clearInterval(sweep);
    },
  };
}

function review(place: OpenPlace, fact: Recorded, requests: Registry): void {
  if (fact.type === 'cluster.agent_revoked') {
    const refusal = new Refusal('AGENT_NOT_CONNECTED', "The identity of the cluster's agent was revoked.");
    end(place, requests, { reason: 'agent_lost', refusal });
    return;
  }
  const refusal = refusalNow(place.member);
  if (refusal !== undefined) end(place, requests, { reason: 'revoked', refusal });
}

function expire(place: OpenPlace, requests: Registry): void {
  // What it was let in with has ended; whatever would let it in now has not been told to the agent.
  const refusal = refusalNow(place.member) ?? changed();
  end(place, requests, { reason: 'expired', refusal });
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

function end(place: OpenPlace, requests: Registry, why: { reason: EndReason; refusal: Refusal }): void {
  if (requests.remove(place)) place.member.cut(why.reason, why.refusal);
}

class Registry {
  readonly open = new Crowd<OpenRequest>();
  readonly #byCredential = new Tallies<CredentialId>();
  readonly #byUser = new Tallies<UserId>();

  add(request: OpenRequest): OpenPlace {
    const { credentialId, userId } = request.impersonation.basis;
    const { all, upgraded } = this.#byCredential.of(credentialId);
    if (request.upgraded) {
      refuseOver(
        upgraded,
        openLimits.upgradedPerCredential,
        'exec, attach or port-forward streams are open with this credential',
      );
    } else {
      refuseOver(all - upgraded, openLimits.perCredential, 'requests are open with this credential');
    }
    refuseOver(this.#byUser.of(userId).all, openLimits.perUser, 'requests are open by this person');
    this.#count(request, 1);
    return this.open.add(request);
  }

  /** False when it was not there any more. */
  remove(place: OpenPlace): boolean {
    if (!this.open.remove(place)) return false;
    this.#count(place.member, -1);
    return true;
  }

  #count({ impersonation, upgraded }: OpenRequest, by: 1 | -1): void {
    const { credentialId, userId } = impersonation.basis;
    this.#byCredential.change(credentialId, upgraded, by);
    this.#byUser.change(userId, upgraded, by);
  }
}

/** How many requests somebody has open. */
type Tally = { readonly all: number; readonly upgraded: number };

const none: Tally = { all: 0, upgraded: 0 };

class Tallies<Key> {
  readonly #tallies = new Map<Key, Tally>();

  of(key: Key): Tally {
    return this.#tallies.get(key) ?? none;
  }

  change(key: Key, isUpgraded: boolean, by: 1 | -1): void {
    const { all, upgraded } = this.of(key);
    const tally = { all: all + by, upgraded: isUpgraded ? upgraded + by : upgraded };
    if (tally.all === 0) this.#tallies.delete(key);
    else this.#tallies.set(key, tally);
  }
}

/** Tells the requests whose permission could rest on what the fact changed; undefined when it is nobody's. */
function touchedBy(fact: Recorded<AnyFact>): ((request: OpenRequest) => boolean) | undefined {
  switch (fact.type) {
    case 'credential.revoked': {
      const { credentialId } = fact.data;
      return ({ impersonation: { basis } }) => basis.credentialId === credentialId;
    }
    case 'user.role_assigned':
    case 'user.role_unassigned':
    case 'access_request.approved':
    case 'access_request.revoked':
    case 'access_request.expired': {
      const { userId, clusterId } = fact.data;
      return (request) => request.impersonation.basis.userId === userId && request.clusterId === clusterId;
    }
    case 'user.disabled':
    case 'user.enabled': {
      const { userId } = fact.data;
      return ({ impersonation: { basis } }) => basis.userId === userId;
    }
    case 'user.synced': {
      // A verified e-mail takes the name from whoever only claimed it (D14), so namesakes are looked at too.
      const { userId, kubernetesName } = fact.data;
      const name = kubernetesName === null ? undefined : foldName(kubernetesName);
      return ({ impersonation: { basis, user } }) => basis.userId === userId || foldName(user) === name;
    }
    case 'role.updated':
    case 'role.deleted': {
      const { roleId } = fact.data;
      return ({ impersonation: { basis } }) => basis.roleId === roleId;
    }
    case 'cluster.deleted':
    case 'cluster.agent_revoked': {
      const { clusterId } = fact.data;
      return (request) => request.clusterId === clusterId;
    }
    default:
      // A fact that this build cannot read may have ended anything (ES-04).
      return isFactType(fact.type) ? undefined : () => true;
  }
}

function refuseOver(open: number, limit: number, what: string): void {
  if (open < limit) return;
  throw new Refusal('RATE_LIMITED', `${limit} ${what} already. End one of them, or wait until one is done.`, {
    retryAfterSeconds: '1',
    limit: String(limit),
  });
}
