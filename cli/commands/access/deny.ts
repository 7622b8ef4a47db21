/** `clustral access deny <request> --reason TEXT`: says no to a pending request, and why. */
import { Option } from 'clipanion';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { findRequest } from '../../access/find-request.ts';
import { printRequest } from '../../access/print-request.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';

export class AccessDeny extends ClustralCommand {
  static override paths = [['access', 'deny']];
  static override argumentHelp = { request: 'id, or at least four characters of its beginning' };
  static override usage = usageOf('access deny', {
    examples: [['With a reason', 'clustral access deny 7f3c --reason "not during the freeze"']],
  });
  request: string = Option.String({ name: 'request' });
  reason: string = Option.String('--reason', { required: true, ...flag('TEXT', 'why, for whoever asked') });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const found = await findRequest(session, this.request, AccessRequestStatus.PENDING);
    const denied = await session.client(AccessService).denyAccessRequest({
      id: found.id,
      reason: this.reason,
      roleRevision: found.currentRoleRevision,
      ...(found.shownAt === undefined ? {} : { shownAt: found.shownAt }),
    });
    await printRequest(this.context, this.format, denied);
    return exitCodes.ok;
  }
}
