/** The role of a request: the named one, the only one, or the one that the person picks from a numbered list. */
import { RoleService, type Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import type { Session } from '../client.ts';
import type { CliContext } from '../context.ts';
import { CliError, exitCodes } from '../failure.ts';
import { findRole } from '../lookup.ts';
import { collect } from '../paging.ts';
import { ask } from '../question.ts';
import { visible } from '../text.ts';

const mostOffered = 200;
const mostNamed = 20;

export type RoleChoice = {
  readonly named: string | undefined;
  readonly context: CliContext;
  /** True when a person is there to be asked. */
  readonly mayAsk: boolean;
};

/** The role to ask for. Throws a usage error that names the roles when none was named and nobody can be asked. */
export async function chooseRole(session: Session, { named, context, mayAsk }: RoleChoice): Promise<Role> {
  if (named !== undefined) return findRole(session, named);
  const { items: roles } = await collect(mostOffered, async (pageToken, pageSize) => {
    const page = await session.client(RoleService).listRoles({ pageToken, pageSize });
    return { items: page.roles, next: page.nextPageToken };
  });
  const [only, ...others] = roles;
  if (only === undefined)
    throw new CliError(exitCodes.notFound, 'there is no role to ask for', 'ask an administrator to create one');
  if (others.length === 0) return only;
  if (mayAsk) return pick(roles, context);
  const names = roles.slice(0, mostNamed).map(({ name }) => visible(name));
  throw new CliError(
    exitCodes.usage,
    "'clustral access request' needs --role",
    `--role ROLE, one of: ${names.join(', ')}${roles.length > mostNamed ? ', …' : ''}`,
  );
}

/** Asks until a number or a name of the list is typed. */
async function pick(roles: readonly Role[], context: CliContext): Promise<Role> {
  context.stderr.write('Which role?\n');
  for (const [index, { name, k8sGroups, description }] of roles.entries())
    context.stderr.write(
      `  ${index + 1}   ${visible(name)} (${visible(k8sGroups.join(', '))})${description === '' ? '' : `: ${visible(description)}`}\n`,
    );
  for (;;) {
    const typed = await ask(context, `Number from 1 to ${roles.length}:`);
    if (typed === undefined)
      throw new CliError(exitCodes.usage, 'no role was chosen', 'clustral access request <cluster> --role ROLE');
    const chosen = /^\d{1,4}$/.test(typed) ? roles[Number(typed) - 1] : roles.find(({ name }) => name === typed);
    if (chosen !== undefined) return chosen;
    context.stderr.write(`'${visible(typed)}' is none of them.\n`);
  }
}
