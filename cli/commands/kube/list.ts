/** `clustral kube list`: the clusters that the signed-in person can reach now, with role, end and context. */
import { Option } from 'clipanion';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ClusterAccessSource, MeSchema, UserService, type Access } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { contextsIn, currentContext, kubeconfigFiles } from '../../kubeconfig.ts';
import type { OurContext } from '../../kubeconfig-document.ts';
import { ListCommand } from '../../list-command.ts';
import type { Column } from '../../table.ts';
import { span } from '../../text.ts';

type Local = { readonly contexts: readonly OurContext[]; readonly current: string | undefined; readonly now: number };

function columnsFor({ contexts, current, now }: Local): readonly Column<Access>[] {
  const namesOf = ({ clusterId }: Access): readonly string[] =>
    contexts.filter((context) => context.clusterId === clusterId).map(({ name }) => name);
  return [
    { head: 'CURRENT', value: (access) => (current !== undefined && namesOf(access).includes(current) ? '*' : '') },
    { head: 'CLUSTER', value: ({ clusterName }) => clusterName },
    { head: 'ROLE', value: ({ roleName }) => roleName },
    {
      head: 'ACCESS',
      value: ({ until }) => (until === undefined ? 'standing' : `for ${span(timestampDate(until).getTime() - now)}`),
    },
    { head: 'CONTEXT', value: (access) => namesOf(access).join(', ') || '-' },
    {
      head: 'SOURCE',
      value: ({ source }) => (source === ClusterAccessSource.GRANT ? 'grant' : 'assignment'),
      wide: true,
    },
    { head: 'ID', value: ({ clusterId }) => clusterId, wide: true },
  ];
}

export class KubeList extends ListCommand {
  static override paths = [['kube', 'list']];
  static override usage = usageOf('kube list');
  kubeconfig: string | undefined = Option.String(
    '--kubeconfig',
    flag('FILE', 'kubeconfig file to look for contexts in'),
  );

  async execute(): Promise<number> {
    const session = await this.openSession();
    const me = await session.client(UserService).getMe({});
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    const contexts = contextsIn(files).filter(({ server }) => server === session.config.server);
    const local = { contexts, current: currentContext(files), now: this.context.now().getTime() };
    await this.printRows({
      rows: me.access,
      columns: columnsFor(local),
      plural: 'access',
      json: { access: (await asJson(MeSchema, me))['access'] },
      nameOf: ({ clusterName }) => `cluster/${clusterName}`,
      empty: 'You can reach no cluster: clustral access request <cluster> asks for a role.',
    });
    return exitCodes.ok;
  }
}
