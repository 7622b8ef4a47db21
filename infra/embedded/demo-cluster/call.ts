/**
 * What a request handler is given: the request in Kubernetes' terms, who acts, and the cluster it acts on. Handlers
 * take nothing from anywhere else.
 */
import type { Exchange } from './exchange.ts';
import type { PodDisks } from './files/pod-disks.ts';
import type { LogLine, World } from './objects.ts';
import type { User, Verdict } from './rbac.ts';
import type { Sessions } from './remote/sessions.ts';
import type { RequestInfo, ResourcePath } from './request-info.ts';
import type { Resource } from './resources.ts';
import type { Store } from './store.ts';

/** The running cluster. */
export interface Cluster {
  store: Store;
  world: World;
  log: LogLine;
  /** Watches and followed logs open now. */
  openStreams: Set<Exchange>;
  /** Commands, attachments and forwarded ports open now. */
  sessions: Sessions;
  /** The files of simulated containers. */
  disks: PodDisks;
}

/** One request on a resource that is served, already authorized. */
export interface Call {
  exchange: Exchange;
  info: RequestInfo;
  at: ResourcePath;
  resource: Resource;
  user: User;
  cluster: Cluster;
  /** Asks for another verb on the same resource, for requests that need more than one. */
  may: (verb: string, resource?: ResourcePath) => Verdict;
}
