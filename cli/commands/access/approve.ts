/** `clustral access approve <request>`: shows what will be given and gives it; what was changed since it was shown is not given (D39). */
import { Option } from 'clipanion';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { AccessRequestStatus, AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { findRequest } from '../../access/find-request.ts';
import { printRequest } from '../../access/print-request.ts';
import { termsOf, warningsOf } from '../../access/request-words.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { describeFailure } from '../../explain.ts';
import { exitCodes } from '../../failure.ts';
import { visible } from '../../text.ts';

const longestSeconds = 366 * 86_400;

export class AccessApprove extends ClustralCommand {
  static override paths = [['access', 'approve']];
  static override argumentHelp = { request: 'id, or at least four characters of its beginning' };
  static override usage = usageOf('access approve', {
    details:
      'Without --for it gives what was asked for; of several who must approve, the shortest time counts. It begins with the\nlast approval, or when it was asked for. When the role was changed after it was shown here, nothing is given and the\nnew terms are shown.',
    examples: [
      ['As asked', 'clustral access approve 7f3c'],
      ['For half an hour only', 'clustral access approve 7f3c --for 30m'],
    ],
  });
  request: string = Option.String({ name: 'request' });
  duration: string | undefined = Option.String('--for', flag('DURATION', 'how long, e.g. 30m; as asked by default'));

  async execute(): Promise<number> {
    if (this.duration !== undefined) parseDuration(this.duration, { field: '--for', maxSeconds: longestSeconds });
    const session = await this.openSession();
    const client = session.client(AccessService);
    const shown = await findRequest(session, this.request, AccessRequestStatus.PENDING);
    this.show('Approving', shown);
    const approving = client.approveAccessRequest({
      id: shown.id,
      duration: this.duration ?? '',
      roleRevision: shown.currentRoleRevision,
      ...(shown.shownAt === undefined ? {} : { shownAt: shown.shownAt }),
    });
    const approved = await approving.catch(async (cause: unknown) => {
      // What the reviewer saw is no longer what would be given: they shall see the new terms before they decide again.
      if (describeFailure(cause).code === 'ROLE_CHANGED')
        this.show('Not approved. The terms are now', await client.getAccessRequest({ id: shown.id }));
      throw cause;
    });
    await printRequest(this.context, this.format, approved);
    if (approved.status === AccessRequestStatus.PENDING)
      this.say(`  next: somebody else approves it too: clustral access approve ${visible(approved.id)}`);
    return exitCodes.ok;
  }

  private show(what: string, request: AccessRequest): void {
    this.say(`${what} ${visible(request.id)}:`);
    for (const line of termsOf(request, this.duration)) this.say(line);
    for (const line of warningsOf(request)) this.warn(line);
  }
}
