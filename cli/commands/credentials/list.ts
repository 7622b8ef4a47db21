/** `clustral credentials list`: credentials that are still good, newest first; one's own, or everybody's for who may see them. */
import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Option } from 'clipanion';
import {
  CredentialService,
  ListCredentialsResponseSchema,
  type Credential,
} from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { PagedCommand } from '../../list-command.ts';
import { findCluster } from '../../lookup.ts';
import { collect } from '../../paging.ts';
import type { Column } from '../../table.ts';
import { span } from '../../text.ts';

type Stamp = Credential['issuedAt'];
const msOf = (stamp: Stamp): number => (stamp === undefined ? 0 : timestampDate(stamp).getTime());

function stateOf({ revokedAt, expiresAt }: Credential, now: number): string {
  if (revokedAt !== undefined) return 'revoked';
  const left = msOf(expiresAt) - now;
  return left <= 0 ? 'expired' : `good for ${span(left)}`;
}

const columnsAt = (now: number): readonly Column<Credential>[] => [
  { head: 'ID', value: ({ id }) => id },
  { head: 'USER', value: ({ user, userId }) => user || userId },
  { head: 'CLUSTER', value: ({ clusterName, clusterId }) => clusterName || clusterId },
  { head: 'ISSUED', value: ({ issuedAt }) => `${span(now - msOf(issuedAt))} ago` },
  { head: 'STATE', value: (credential) => stateOf(credential, now) },
];

export class CredentialsList extends PagedCommand {
  static override paths = [['credentials', 'list']];
  static override usage = usageOf('credentials list', {
    examples: [['Also what has ended', 'clustral credentials list --all']],
  });
  cluster: string | undefined = Option.String('--cluster', flag('CLUSTER', 'only for this cluster'));
  all: boolean = Option.Boolean('--all', false, flag('', 'revoked and expired ones too'));

  async execute(): Promise<number> {
    const { limitNumber } = this;
    const session = await this.openSession();
    const clusterId = this.cluster === undefined ? '' : (await findCluster(session, this.cluster)).id;
    const client = session.client(CredentialService);
    const { items, next } = await collect(limitNumber, async (pageToken, pageSize) => {
      const page = await client.listCredentials({ pageToken, pageSize, clusterId, active: !this.all });
      return { items: page.credentials, next: page.nextPageToken };
    });
    const message = create(ListCredentialsResponseSchema, { credentials: [...items], nextPageToken: next });
    await this.printRows({
      rows: items,
      columns: columnsAt(this.context.now().getTime()),
      json: await asJson(ListCredentialsResponseSchema, message),
      plural: 'credentials',
      nameOf: ({ id }) => `credential/${id}`,
      empty: 'There are no credentials.',
    });
    this.sayWhatIsLeft({ shown: items.length, next });
    return exitCodes.ok;
  }
}
