/** `clustral access extend <request>`: asks for more of an access that one has. */
import { Option } from 'clipanion';
import { AccessRequestStatus } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { AskingCommand, waitDetails } from '../../access/asking-command.ts';
import { findRequest } from '../../access/find-request.ts';
import { usageOf } from '../../command-table.ts';
import { exitCodes } from '../../failure.ts';

export class AccessExtend extends AskingCommand {
  static override paths = [['access', 'extend']];
  static override argumentHelp = { request: 'the approved one: id, or at least four characters of its beginning' };
  static override usage = usageOf('access extend', {
    details: `The access goes on while somebody decides; the time counts from the approval, and in all it lasts no longer than the\nlongest that may be granted. ${waitDetails}`,
    examples: [['Two hours from now', 'clustral access extend 7f3c --for 2h --reason "incident 4711, not over"']],
  });
  request: string = Option.String({ name: 'request' });

  async execute(): Promise<number> {
    this.checkFlags();
    const session = await this.openSession();
    const { id, clusterId, roleId } = await findRequest(session, this.request, AccessRequestStatus.APPROVED);
    await this.ask(session, { clusterId, roleId, extends: id });
    return exitCodes.ok;
  }
}
