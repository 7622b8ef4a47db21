/** `clustral access withdraw <request>`: takes one's own pending request back. */
import { Option } from 'clipanion';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { findRequest } from '../../access/find-request.ts';
import { printRequest } from '../../access/print-request.ts';
import { usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';

export class AccessWithdraw extends ClustralCommand {
  static override paths = [['access', 'withdraw']];
  static override argumentHelp = { request: 'id, or at least four characters of its beginning' };
  static override usage = usageOf('access withdraw');
  request: string = Option.String({ name: 'request' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const found = await findRequest(session, this.request, AccessRequestStatus.PENDING);
    const withdrawn = await session.client(AccessService).withdrawAccessRequest({ id: found.id });
    await printRequest(this.context, this.format, withdrawn);
    return exitCodes.ok;
  }
}
