/** `clustral access revoke <request>`: ends a grant before its time; one's own too, which gives it back. */
import { Option } from 'clipanion';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { findRequest } from '../../access/find-request.ts';
import { printRequest } from '../../access/print-request.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';

export class AccessRevoke extends ClustralCommand {
  static override paths = [['access', 'revoke']];
  static override argumentHelp = { request: 'id, or at least four characters of its beginning' };
  static override usage = usageOf('access revoke', {
    details: 'The next request of kubectl is refused, and what is open ends within seconds.',
  });
  request: string = Option.String({ name: 'request' });
  reason: string = Option.String('--reason', '', flag('TEXT', 'why, for whoever had it'));

  async execute(): Promise<number> {
    const session = await this.openSession();
    const found = await findRequest(session, this.request, AccessRequestStatus.APPROVED);
    const revoked = await session.client(AccessService).revokeAccessRequest({ id: found.id, reason: this.reason });
    await printRequest(this.context, this.format, revoked);
    return exitCodes.ok;
  }
}
