/** `clustral status`: session, server, and every cluster that can be reached, at a glance. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ClusterService, ClusterStatus, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { MeSchema, UserService, type Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { lifeOf } from '../account-choice.ts';
import { usageOf } from '../command-table.ts';
import { asJson, ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { printAnswer } from '../output.ts';
import { paint } from '../style.ts';
import { span, visible } from '../text.ts';
import { version } from '../version.ts';

type Line = readonly [label: string, value: string];

export class Status extends ClustralCommand {
  static override paths = [['status']];
  static override usage = usageOf('status');

  async execute(): Promise<number> {
    const session = await this.openSession();
    const [me, server, { clusters }] = await Promise.all([
      session.client(UserService).getMe({}),
      session.client(SystemService).getVersion({}),
      session.client(ClusterService).listClusters({ pageSize: 200 }),
    ]);
    const url = session.config.server;
    const who = session.account().displayName;
    const life = lifeOf(session.account(), this.context.now());
    const lines: Line[] = [
      ['Server', `${url}, version ${server.version}`],
      ['Profile', session.profile.name],
      ['Signed in as', `${who} (${rolesOf(me)})`],
      ['Session', life.text],
      ['This tool', `version ${version}`],
      ...this.clusterLines(me, clusters),
    ];
    const label = (text: string): string => paint(this.context.color.stdout, 'quiet', text.padEnd(13));
    await printAnswer(this.context, {
      format: this.format,
      json: {
        server: { url, version: server.version },
        profile: session.profile.name,
        sessionEndsAt: life.endsAt ?? null,
        cliVersion: version,
        ...(await asJson(MeSchema, me)),
      },
      name: `user/${who}`,
      text: lines.map(([head, value]) => `${label(head)} ${visible(value)}\n`).join(''),
    });
    return exitCodes.ok;
  }

  private clusterLines(me: Me, clusters: readonly Cluster[]): Line[] {
    if (me.access.length === 0) return [['Clusters', 'none that you can reach: ask an administrator for a role']];
    const now = this.context.now().getTime();
    const states = new Map(clusters.map(({ id, status }) => [id, status === ClusterStatus.CONNECTED]));
    return me.access.map(({ clusterId, clusterName, roleName, until }, index) => {
      const life = until === undefined ? '' : ` for ${span(timestampDate(until).getTime() - now)}`;
      const state = { true: 'connected', false: 'not connected' }[String(states.get(clusterId))] ?? 'state unknown';
      return [index === 0 ? 'Clusters' : '', `${clusterName}, as ${roleName}${life} (${state})`];
    });
  }
}

/** Roles of Clustral itself; others of the provider mean nothing here. */
function rolesOf({ user }: Me): string {
  return user?.roles.filter((role) => role.startsWith('clustral-')).join(', ') || 'no role of Clustral';
}
