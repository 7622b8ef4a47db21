/** `clustral status`: session, server, and every cluster that can be reached, at a glance. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ClusterService, ClusterStatus } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { MeSchema, UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { asJson, ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { printObject } from '../output.ts';
import { span, visible } from '../text.ts';
import { version } from '../version.ts';

export class Status extends ClustralCommand {
  static override paths = [['status']];
  static override usage = ClustralCommand.Usage({
    category: 'Session',
    description: 'show session, server and reachable clusters',
  });

  async execute(): Promise<number> {
    const session = this.openSession();
    const [me, server, { clusters }] = await Promise.all([
      session.client(UserService).getMe({}),
      session.client(SystemService).getVersion({}),
      session.client(ClusterService).listClusters({ pageSize: 200 }),
    ]);
    if (this.format !== 'table') {
      printObject(this.context, this.format, {
        server: { url: session.config.server, version: server.version },
        cliVersion: version,
        ...asJson(MeSchema, me),
      });
      return exitCodes.ok;
    }
    const connected = new Map(
      clusters.map(({ id, status }) => [id, status === ClusterStatus.CONNECTED ? 'connected' : 'offline']),
    );
    const lines = [
      ['Server', `${session.config.server} (${server.version})`],
      [
        'Signed in as',
        `${session.account().displayName} (${me.user?.roles.filter((role) => role.startsWith('clustral-')).join(', ') || 'no Clustral role'})`,
      ],
      ['Clustral CLI', version],
      ['Clusters', me.access.length === 0 ? 'none that you can reach' : ''],
      ...me.access.map((access) => {
        const until =
          access.until === undefined
            ? 'standing'
            : `for ${span(timestampDate(access.until).getTime() - this.context.now().getTime())}`;
        return [
          '',
          `${access.clusterName}: ${access.roleName}, ${until}, ${connected.get(access.clusterId) ?? 'unknown'}`,
        ];
      }),
    ];
    for (const [head = '', value = ''] of lines)
      this.context.stdout.write(`${(head === '' ? '' : `${head}:`).padEnd(15)}${visible(value)}\n`);
    return exitCodes.ok;
  }
}
