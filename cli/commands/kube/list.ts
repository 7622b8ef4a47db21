/** `clustral kube list`: the clusters that the signed-in person can reach now, with role, end and context. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ClusterAccessSource, MeSchema, UserService, type Access } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { Option } from 'clipanion';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { contextsOf, currentContext, kubeconfigFiles } from '../../kubeconfig.ts';
import { printList, type Column } from '../../output.ts';
import { span } from '../../text.ts';

export class KubeList extends ClustralCommand {
  static override paths = [
    ['kube', 'list'],
    ['kube', 'ls'],
  ];
  static override usage = ClustralCommand.Usage({
    category: 'Kubernetes',
    description: 'list the clusters you can reach',
  });
  kubeconfig: string | undefined = Option.String('--kubeconfig', {
    description: 'kubeconfig file to look for contexts in',
  });
  noHeaders: boolean = Option.Boolean('--no-headers', false);

  async execute(): Promise<number> {
    const format = this.format;
    const session = this.openSession();
    const me = await session.client(UserService).getMe({});
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    const contexts = contextsOf(files, session.config.server);
    const current = currentContext(files);
    const now = this.context.now().getTime();
    const columns: readonly Column<Access>[] = [
      { head: 'CLUSTER', value: ({ clusterName }) => clusterName },
      { head: 'ROLE', value: ({ roleName }) => roleName },
      {
        head: 'ACCESS',
        value: ({ until }) => (until === undefined ? 'standing' : `for ${span(timestampDate(until).getTime() - now)}`),
      },
      { head: 'CONTEXT', value: ({ clusterId }) => shown(contexts.get(clusterId), current) },
      { head: 'ID', value: ({ clusterId }) => clusterId, wide: true },
      {
        head: 'SOURCE',
        value: ({ source }) => (source === ClusterAccessSource.GRANT ? 'grant' : 'assignment'),
        wide: true,
      },
    ];
    printList(this.context, {
      format,
      rows: me.access,
      columns,
      plural: 'access',
      json: { access: asJson(MeSchema, me)['access'] },
      nameOf: ({ clusterName }) => `cluster/${clusterName}`,
      empty: 'You can reach no cluster: ask an administrator for a role.',
      heads: !this.noHeaders,
    });
    return exitCodes.ok;
  }
}

const shown = (context: string | undefined, current: string | undefined): string =>
  context === undefined ? '-' : context === current ? `${context} (current)` : context;
