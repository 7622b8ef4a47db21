/** `/roles`: names for lists of Kubernetes groups, and by which rules they are granted. */
import { A } from '@solidjs/router';
import { Show, type JSX } from 'solid-js';
import type { Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { useMay } from '../data/app.ts';
import { LinkButton } from '../kit/Button.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { Ago } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { Groups } from '../parts/Groups.tsx';
import { useRoles } from '../parts/lists.ts';
import { Page } from '../shell/Page.tsx';
import { rolePath } from '../text/paths.ts';
import { reviewSentence } from '../text/review.ts';
import { count } from '../text/words.ts';

export function Roles(): JSX.Element {
  const may = useMay();
  const roles = useRoles();
  const create = (
    <LinkButton href="/roles/new" look="primary" icon="plus">
      Create a role
    </LinkButton>
  );
  return (
    <Page
      title="Roles"
      lead="A role is a name for Kubernetes groups. What those groups may do is said by the RBAC of each cluster."
      actions={<Show when={may.administer()}>{create}</Show>}
      cli={[
        { does: 'This list', parts: ['clustral roles list'] },
        { does: 'Create one', parts: ['clustral roles create <name> --group <group>'] },
      ]}
    >
      <Panel title="All roles" note={count(roles.all().length, 'role')} flush>
        <View
          query={roles.query}
          skeleton="rows"
          isEmpty={(answer) => answer.roles.length === 0}
          empty={{
            icon: 'role',
            title: 'No role yet',
            text: 'Create one for each thing people do on clusters, for instance viewing or administering, and bind its groups with RBAC there.',
            ...(may.administer() ? { action: create } : {}),
            command: ['clustral roles create k8s-viewer --group clustral:viewers'],
          }}
        >
          {(answer) => <Table name="Roles" items={answer().roles} keyOf={({ id }) => id} columns={columns} />}
        </View>
      </Panel>
    </Page>
  );
}

const columns: readonly Column<Role>[] = [
  {
    head: 'Role',
    cell: (role) => (
      <>
        <A class="row-link font-medium" href={rolePath(role().name)}>
          <Untrusted text={role().name} />
        </A>
        <Show when={role().description !== ''}>
          <div class="line-clamp-1 text-xs text-soft">
            <Untrusted text={role().description} />
          </div>
        </Show>
      </>
    ),
  },
  { head: 'Kubernetes groups', cell: (role) => <Groups groups={role().k8sGroups} most={4} /> },
  { head: 'Decided by', cell: (role) => <span class="text-soft">{reviewSentence(role().review)}</span> },
  {
    head: 'Created',
    cell: (role) => (
      <span class="text-soft">
        <Ago at={role().createdAt} />
      </span>
    ),
  },
];
