/** How a cluster's agent stands, and its labels. */
import { For, type JSX } from 'solid-js';
import type { Cluster, ClusterStatus } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { Chip, Status } from '../kit/Status.tsx';
import { clusterWord } from '../text/words.ts';

export function ClusterStatusBadge(props: { readonly status: ClusterStatus }): JSX.Element {
  return <Status {...clusterWord(props.status)} />;
}

/** The labels; the one that says production is marked. */
export function Labels(props: { readonly cluster: Cluster }): JSX.Element {
  const entries = (): readonly (readonly [string, string])[] =>
    Object.entries(props.cluster.labels).toSorted(([a], [b]) => a.localeCompare(b));
  return (
    <span class="inline-flex flex-wrap gap-1">
      <For each={entries()} fallback={<span class="text-faint">none</span>}>
        {([key, value]) => <Chip text={`${key}=${value}`} tone={isProduction(key, value) ? 'bad' : 'quiet'} />}
      </For>
    </span>
  );
}

const isProduction = (key: string, value: string): boolean =>
  /^(env|environment|stage|tier)$/i.test(key) && /^(prod|production|live)$/i.test(value);
