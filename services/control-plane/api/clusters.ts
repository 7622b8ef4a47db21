/**
 * `ClusterService`: register, list, change, revoke, delete clusters. Names are unique, also when asked for at the same time. A
 * bootstrap token is in the answer that issued it and nowhere else; a repeated call gives the same one until it was
 * redeemed (D33).
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { getCluster, listClusters } from '@clustral/projections/clusters.ts';
import { clusterStream, type ClusterFact } from '@clustral/schemas/events/cluster.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  ClusterService,
  ListClustersResponseSchema,
  RegisterClusterResponseSchema,
  type RegisterClusterRequest,
  type Cluster,
  type RegisterClusterResponse,
  type UpdateClusterRequest,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { parseClusterId, type ClusterId } from '@clustral/schemas/ids.ts';
import { implement, type Call, type Implementation } from '@clustral/kernel/api.ts';
import type { BootstrapTokens } from '../bootstrap-tokens.ts';
import {
  deleteCluster,
  evolveCluster,
  initialCluster,
  issueBootstrapToken,
  registerCluster,
  requireCluster,
  revokeAgent,
  updateCluster,
  type ClusterState,
} from '../domain/cluster.ts';
import type { Cause, CommandResult } from '../ports.ts';
import { callerOf } from './caller.ts';
import { commandCause, newId } from './cause.ts';
import { clusterOfDocument, clusterOfState } from './cluster-answer.ts';
import { modelsFor, tellPosition, type WithAgents } from './deps.ts';
import { parseDescription, parseFilter, parseLabelNames, parseLabels, parseName, parsePage } from './input.ts';

export type ClusterDeps = WithAgents & { readonly bootstrapTokens: BootstrapTokens };

/** The service. */
export function clusterService(deps: ClusterDeps): Implementation {
  const { agents, bootstrapTokens } = deps;
  const { method } = ClusterService;
  return implement(ClusterService, {
    registerCluster: (request, call) => register(deps, request, call),
    async listClusters(request, call) {
      const models = await modelsFor(deps, call);
      const query = { ...parsePage(request), ...parseFilter('name', request.name) };
      const { items, next = '' } = await listClusters(models, query);
      const clusters = items.map((document) => shownTo(call, clusterOfDocument(document, agents)));
      return create(ListClustersResponseSchema, { clusters, nextPageToken: next });
    },
    async getCluster(request, call) {
      const clusterId = parseClusterId(request.id);
      const document = await getCluster(await modelsFor(deps, call), clusterId);
      if (!document) throw clusterNotFound(clusterId);
      return shownTo(call, clusterOfDocument(document, agents));
    },
    updateCluster: (request, call) => update(deps, request, call),
    async deleteCluster(request, call) {
      const clusterId = parseClusterId(request.id);
      const cause = commandCause(call, method.deleteCluster, request);
      tellPosition(
        call,
        await runOn(deps, clusterId, { cause, decide: (state) => deleteCluster({ clusterId }, state) }),
      );
      return {};
    },
    async revokeAgent(request, call) {
      const clusterId = parseClusterId(request.id);
      const cause = commandCause(call, method.revokeAgent, request);
      const decide = (state: ClusterState) => revokeAgent({ clusterId }, state);
      const result = await runOn(deps, clusterId, { cause, decide });
      tellPosition(call, result);
      return clusterOfState(requireCluster(clusterId, result.state), agents);
    },
    async issueBootstrapToken(request, call) {
      const clusterId = parseClusterId(request.id);
      const cause = commandCause(call, method.issueBootstrapToken, request);
      const { record: token } = bootstrapTokens.issue(clusterId);
      const decide = (state: ClusterState) => issueBootstrapToken({ clusterId, token }, state);
      const result = await runOn(deps, clusterId, { cause, decide });
      tellPosition(call, result);
      return tokenAnswer(bootstrapTokens, clusterId, result.state);
    },
  });
}

async function register(
  deps: ClusterDeps,
  request: RegisterClusterRequest,
  call: Call,
): Promise<RegisterClusterResponse> {
  const { bootstrapTokens } = deps;
  const name = parseName(request.name);
  const description = parseDescription(request.description);
  const labels = parseLabels(request.labels);
  const cause = commandCause(call, ClusterService.method.registerCluster, request);
  const clusterId = newId('cluster', cause) as ClusterId;
  const { record: token } = bootstrapTokens.issue(clusterId);
  const decide = (state: ClusterState) =>
    registerCluster({ clusterId, name, description, labels, nameHolder: holderOf(deps, name), token }, state);
  const result = await runOn(deps, clusterId, { cause, decide, exclusive: `cluster name ${name}` });
  tellPosition(call, result);
  return tokenAnswer(bootstrapTokens, clusterId, result.state);
}

async function update(deps: ClusterDeps, request: UpdateClusterRequest, call: Call): Promise<Cluster> {
  const clusterId = parseClusterId(request.id);
  const name = request.name === undefined ? undefined : parseName(request.name);
  const description = request.description === undefined ? undefined : parseDescription(request.description);
  const set = parseLabels(request.labels);
  const removed = new Set(parseLabelNames('removeLabels', request.removeLabels));
  const cause = commandCause(call, ClusterService.method.updateCluster, request);
  const decide = (state: ClusterState) => {
    const before = requireCluster(clusterId, state);
    const kept = Object.entries(before.labels).filter(([key]) => !removed.has(key));
    const content = {
      clusterId,
      name: name ?? before.name,
      description: description ?? before.description,
      labels: parseLabels({ ...Object.fromEntries(kept), ...set }),
    };
    return updateCluster({ ...content, nameHolder: holderOf(deps, content.name) }, state);
  };
  const exclusive = name === undefined ? {} : { exclusive: `cluster name ${name}` };
  const result = await runOn(deps, clusterId, { cause, decide, ...exclusive });
  tellPosition(call, result);
  return clusterOfState(requireCluster(clusterId, result.state), deps.agents);
}

function holderOf({ policy }: ClusterDeps, name: string): ClusterId | undefined {
  const holder = policy.clusterByName(name);
  return holder?.status === 'registered' ? holder.clusterId : undefined;
}

/** The cluster without what is meant for administrators and auditors only. */
function shownTo(call: Call, cluster: Cluster): Cluster {
  if (callerOf(call).readsAll) return cluster;
  const labels = Object.entries(cluster.labels).filter(([key]) => !key.startsWith('private/'));
  return { ...cluster, labels: Object.fromEntries(labels) };
}

function runOn(
  { commands }: ClusterDeps,
  clusterId: ClusterId,
  command: {
    readonly cause: Cause;
    readonly decide: (state: ClusterState) => readonly ClusterFact[];
    readonly exclusive?: string;
  },
): Promise<CommandResult<ClusterState>> {
  const stream = clusterStream(clusterId);
  return commands.run({ stream, initial: initialCluster, evolve: evolveCluster, ...command });
}

/** The token as it was stored, made again: what a first and a repeated call are answered with. */
function tokenAnswer(tokens: BootstrapTokens, clusterId: ClusterId, state: ClusterState): RegisterClusterResponse {
  const { bootstrap, name } = requireCluster(clusterId, state);
  const token = bootstrap && bootstrap.redeemed === null ? tokens.again(clusterId, bootstrap) : undefined;
  if (!bootstrap || token === undefined) {
    throw new Refusal(
      'CONFLICT',
      `The bootstrap token of cluster '${name}' that this Idempotency-Key stands for was redeemed or revoked. Issue a new one.`,
      { clusterId },
    );
  }
  return create(RegisterClusterResponseSchema, {
    clusterId,
    bootstrapToken: token,
    bootstrapTokenExpiresAt: timestampFromDate(new Date(bootstrap.expiresAt)),
  });
}

const clusterNotFound = (clusterId: ClusterId): Refusal =>
  new Refusal('CLUSTER_NOT_FOUND', `There is no cluster ${clusterId}. 'clustral clusters list' shows the clusters.`, {
    clusterId,
  });
