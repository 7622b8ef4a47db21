/** `/roles/new`: creating a role. */
import { useNavigate } from '@solidjs/router';
import type { JSX } from 'solid-js';
import { RoleService } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { useApp } from '../data/app.ts';
import { useCommand } from '../data/rpc.ts';
import { emptyRole, messageOf, type RoleDraft } from '../parts/role-draft.ts';
import { RoleForm } from '../parts/RoleForm.tsx';
import { Page } from '../shell/Page.tsx';
import { rolePath } from '../text/paths.ts';
import { visible } from '../text/untrusted.ts';

export function RoleNew(): JSX.Element {
  const { notices } = useApp();
  const navigate = useNavigate();
  const command = useCommand(RoleService.method.createRole);
  const save = async (draft: RoleDraft): Promise<void> => {
    const made = await command.run(messageOf(draft));
    if (!made) return;
    notices.say({ text: `Created ${visible(made.name)}.` });
    navigate(rolePath(made.name));
  };
  return (
    <Page
      title="Create a role"
      parent={{ href: '/roles', name: 'Roles' }}
      cli={[{ does: 'Create it from the terminal', parts: ['clustral roles create <name> --group <group>'] }]}
    >
      <RoleForm initial={emptyRole} act="Create" back="/roles" command={command} save={(draft) => void save(draft)} />
    </Page>
  );
}
