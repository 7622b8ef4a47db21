/** `clustral access give-back [request]`: ends access of one's own that is no longer needed. */
import { Option } from 'clipanion';
import { AccessRequestStatus, AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { findRequest } from '../../access/find-request.ts';
import { printRequest } from '../../access/print-request.ts';
import type { Session } from '../../client.ts';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { visible } from '../../text.ts';

const mostNamed = 5;

export class AccessGiveBack extends ClustralCommand {
  static override paths = [['access', 'give-back']];
  static override argumentHelp = {
    request: 'id, or at least four characters of its beginning; the only one when left out',
  };
  static override usage = usageOf('access give-back', {
    details: 'The next request of kubectl is refused, and what is open ends within seconds.',
    examples: [['When there is only one', 'clustral access give-back']],
  });
  request: string | undefined = Option.String({ name: 'request', required: false });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const { user } = await session.client(UserService).getMe({});
    const own = user?.id ?? '';
    const found =
      this.request === undefined
        ? await onlyGrant(session, own)
        : await findRequest(session, this.request, AccessRequestStatus.APPROVED);
    if (found.requesterId !== own)
      throw new CliError(
        exitCodes.forbidden,
        `that access is ${visible(found.requesterName || 'somebody else')}'s, and only they give it back`,
        `clustral access revoke ${visible(found.id)}`,
      );
    const returned = await session.client(AccessService).revokeAccessRequest({ id: found.id });
    await printRequest(this.context, this.format, returned);
    return exitCodes.ok;
  }
}

/** The one access that the person has. Throws exit code 3 when there is none, and a usage error that names them when there are several. */
async function onlyGrant(session: Session, requesterId: string): Promise<AccessRequest> {
  const status = AccessRequestStatus.APPROVED;
  const { requests } = await session.client(AccessService).listAccessRequests({ requesterId, status });
  const [only, ...others] = requests;
  if (only === undefined)
    throw new CliError(exitCodes.notFound, 'you have no access that was granted on request', 'clustral access list');
  if (others.length === 0) return only;
  const named = requests
    .slice(0, mostNamed)
    .map(({ id, roleName, clusterName }) => `${id} (${roleName} on ${clusterName})`);
  throw new CliError(
    exitCodes.usage,
    `you have access by ${requests.length} requests`,
    `name one: ${visible(named.join(', '))}${requests.length > mostNamed ? ', …' : ''}`,
  );
}
