/** `clustral roles create <name> --group <group>`: a name for a list of Kubernetes groups, and how requests for it are decided. */
import { Option } from 'clipanion';
import { RoleSchema, RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { ReviewCommand, reviewDetails } from '../../access/review-flags.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class RolesCreate extends ReviewCommand {
  static override paths = [['roles', 'create']];
  static override argumentHelp = { name: 'what people will call it' };
  static override usage = usageOf('roles create', {
    details: reviewDetails,
    examples: [
      ['Each group by itself', 'clustral roles create sre --group platform:sre --group clustral:viewers'],
      ['Two people decide', 'clustral roles create k8s-admin --group system:masters --approvals 2 --ticket OPS-#'],
    ],
  });
  name: string = Option.String({ name: 'name' });
  groups: string[] = Option.Array('--group', [], flag('GROUP', 'Kubernetes group that a holder gets, may be repeated'));
  description: string = Option.String('--description', '', flag('TEXT', 'what it is for'));

  async execute(): Promise<number> {
    this.checkReviewFlags();
    if (this.groups.length === 0)
      throw new CliError(
        exitCodes.usage,
        "'clustral roles create' needs at least one --group",
        `clustral roles create ${visible(this.name)} --group GROUP`,
      );
    const session = await this.openSession();
    const review = await this.review(session, undefined);
    const role = await session.client(RoleService).createRole({
      name: this.name,
      description: this.description,
      k8sGroups: this.groups,
      ...(review === undefined ? {} : { review }),
    });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(RoleSchema, role),
      name: `role/${role.name}`,
      text: `role/${visible(role.name)} created\n`,
    });
    if (role.k8sGroups.includes('system:masters'))
      this.warn('system:masters may do anything in a cluster, whatever its RBAC says.');
    return exitCodes.ok;
  }
}
