/** `clustral roles edit <role>`: changes what is named and leaves the rest: groups, texts, how requests for it are decided. */
import { Option } from 'clipanion';
import { RoleSchema, RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { ReviewCommand, reviewDetails } from '../../access/review-flags.ts';
import { flag, usageOf } from '../../command-table.ts';
import { asJson } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { findRole } from '../../lookup.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class RolesEdit extends ReviewCommand {
  static override paths = [['roles', 'edit']];
  static override argumentHelp = { role: 'name or id' };
  static override usage = usageOf('roles edit', {
    details: `What no flag names stays as it is; a flag that may be repeated replaces all of its kind. Requests that wait are decided\nby the rules of when they were made. ${reviewDetails}`,
    examples: [
      ['Two people decide', 'clustral roles edit k8s-admin --approvals 2 --reviewer-group oncall'],
      ['As it was at first', 'clustral roles edit k8s-admin --plain-review'],
    ],
  });
  role: string = Option.String({ name: 'role' });
  name: string | undefined = Option.String('--name', flag('NAME', 'what people will call it'));
  description: string | undefined = Option.String('--description', flag('TEXT', 'what it is for'));
  groups: string[] | undefined = Option.Array(
    '--group',
    flag('GROUP', 'Kubernetes group that a holder gets, may be repeated'),
  );
  plainReview: boolean = Option.Boolean(
    '--plain-review',
    false,
    flag('', 'begin with the rules of a new role: one approval by an administrator'),
  );

  async execute(): Promise<number> {
    this.checkReviewFlags();
    const session = await this.openSession();
    const before = await findRole(session, this.role);
    const review = await this.review(session, this.plainReview ? undefined : before.review);
    const reviewed = review ?? (this.plainReview ? {} : undefined);
    if ([this.name, this.description, this.groups, reviewed].every((said) => said === undefined))
      throw new CliError(exitCodes.usage, 'nothing is to be changed', 'clustral roles edit --help');
    const role = await session.client(RoleService).updateRole({
      id: before.id,
      name: this.name ?? before.name,
      description: this.description ?? before.description,
      k8sGroups: this.groups ?? before.k8sGroups,
      ...(reviewed === undefined ? {} : { review: reviewed }),
    });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(RoleSchema, role),
      name: `role/${role.name}`,
      text: `role/${visible(role.name)} changed\n`,
    });
    if (role.k8sGroups.includes('system:masters') && !before.k8sGroups.includes('system:masters'))
      this.warn('system:masters may do anything in a cluster, whatever its RBAC says.');
    return exitCodes.ok;
  }
}
