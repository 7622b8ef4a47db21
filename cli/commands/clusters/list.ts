/** `clustral clusters list`: every registered cluster and where its agent stands. */
import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  ClusterService,
  ClusterStatus,
  ListClustersResponseSchema,
  type Cluster,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { PagedCommand } from '../../list-command.ts';
import { collect } from '../../paging.ts';
import type { Tone } from '../../style.ts';
import type { Column } from '../../table.ts';
import { span } from '../../text.ts';

const states: Readonly<Record<ClusterStatus, readonly [word: string, tone: Tone]>> = {
  [ClusterStatus.UNSPECIFIED]: ['Unknown', 'quiet'],
  [ClusterStatus.PENDING]: ['Pending', 'warn'],
  [ClusterStatus.CONNECTED]: ['Connected', 'good'],
  [ClusterStatus.DISCONNECTED]: ['Disconnected', 'bad'],
};

const stateOf = ({ status }: Cluster): readonly [word: string, tone: Tone] => states[status] ?? ['Unknown', 'quiet'];

const columnsAt = (now: number): readonly Column<Cluster>[] => [
  { head: 'NAME', value: ({ name }) => name },
  { head: 'STATUS', value: (cluster) => stateOf(cluster)[0], tone: (cluster) => stateOf(cluster)[1] },
  { head: 'KUBERNETES', value: ({ kubernetesVersion }) => kubernetesVersion || '-' },
  { head: 'AGENT', value: ({ agentVersion }) => agentVersion || '-' },
  {
    head: 'AGE',
    value: ({ registeredAt: at }) => (at === undefined ? '-' : span(now - timestampDate(at).getTime())),
  },
  { head: 'ID', value: ({ id }) => id, wide: true },
  {
    head: 'SEEN',
    value: ({ lastSeenAt: at }) => (at === undefined ? '-' : timestampDate(at).toISOString()),
    wide: true,
  },
  {
    head: 'LABELS',
    value: ({ labels }) =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',') || '-',
    wide: true,
  },
  { head: 'DESCRIPTION', value: ({ description }) => description || '-', wide: true },
];

export class ClustersList extends PagedCommand {
  static override paths = [['clusters', 'list']];
  static override usage = usageOf('clusters list');

  async execute(): Promise<number> {
    const { limitNumber } = this;
    const client = (await this.openSession()).client(ClusterService);
    const { items, next } = await collect(limitNumber, async (pageToken, pageSize) => {
      const page = await client.listClusters({ pageToken, pageSize });
      return { items: page.clusters, next: page.nextPageToken };
    });
    const message = create(ListClustersResponseSchema, { clusters: [...items], nextPageToken: next });
    await this.printRows({
      rows: items,
      columns: columnsAt(this.context.now().getTime()),
      json: await asJson(ListClustersResponseSchema, message),
      plural: 'clusters',
      nameOf: ({ name }) => `cluster/${name}`,
      empty: 'No clusters yet: clustral clusters register <name>',
    });
    this.sayWhatIsLeft({ shown: items.length, next });
    return exitCodes.ok;
  }
}
