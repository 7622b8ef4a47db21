/** `clustral clusters list`: every registered cluster and where its agent stands. */
import { Option } from 'clipanion';
import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  ClusterService,
  ClusterStatus,
  ListClustersResponseSchema,
  type Cluster,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { collect, wholeNumber } from '../../client.ts';
import { pathsOf } from '../../commands.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printList, type Column } from '../../output.ts';
import { span } from '../../text.ts';

const words: Readonly<Record<ClusterStatus, string>> = {
  [ClusterStatus.UNSPECIFIED]: 'Unknown',
  [ClusterStatus.PENDING]: 'Pending',
  [ClusterStatus.CONNECTED]: 'Connected',
  [ClusterStatus.DISCONNECTED]: 'Disconnected',
};

export class ClustersList extends ClustralCommand {
  static override paths = pathsOf('clusters', 'list');
  static override usage = ClustralCommand.Usage({ category: 'Clusters', description: 'list registered clusters' });
  limit: string = Option.String('--limit', '100', { description: 'how many at most' });
  noHeaders: boolean = Option.Boolean('--no-headers', false);

  async execute(): Promise<number> {
    const format = this.format;
    const client = this.openSession().client(ClusterService);
    const { items, more } = await collect(
      wholeNumber('--limit', this.limit, [1, 10_000]),
      async (pageToken, pageSize) => {
        const page = await client.listClusters({ pageToken, pageSize });
        return { items: page.clusters, next: page.nextPageToken };
      },
    );
    const now = this.context.now().getTime();
    const columns: readonly Column<Cluster>[] = [
      { head: 'NAME', value: ({ name }) => name },
      { head: 'STATUS', value: ({ status }) => words[status] ?? 'Unknown' },
      { head: 'KUBERNETES', value: ({ kubernetesVersion }) => kubernetesVersion || '-' },
      { head: 'AGENT', value: ({ agentVersion }) => agentVersion || '-' },
      {
        head: 'AGE',
        value: ({ registeredAt }) =>
          registeredAt === undefined ? '-' : span(now - timestampDate(registeredAt).getTime()),
      },
      { head: 'ID', value: ({ id }) => id, wide: true },
      {
        head: 'SEEN',
        value: ({ lastSeenAt }) => (lastSeenAt === undefined ? '-' : timestampDate(lastSeenAt).toISOString()),
        wide: true,
      },
      { head: 'DESCRIPTION', value: ({ description }) => description || '-', wide: true },
    ];
    const json = asJson(ListClustersResponseSchema, create(ListClustersResponseSchema, { clusters: [...items] }));
    printList(this.context, {
      format,
      rows: items,
      columns,
      json,
      plural: 'clusters',
      nameOf: ({ name }) => `cluster/${name}`,
      empty: 'No clusters yet: clustral clusters register <name>',
      heads: !this.noHeaders,
    });
    if (more) this.say(`showing the first ${items.length}; --limit shows more`);
    return exitCodes.ok;
  }
}
