/** `/roles/:role`: one role by name: what it gives, who has it on request, changing and deleting it. */
import { useNavigate, useParams } from '@solidjs/router';
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { RoleService, type Role as RoleShown } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { useApp, useMay } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { oneOf } from '../data/parameters.ts';
import { useUrlState } from '../data/url-state.ts';
import { Button, LinkButton } from '../kit/Button.tsx';
import { Id } from '../kit/Copy.tsx';
import { Confirm } from '../kit/Dialog.tsx';
import { Facts, Panel } from '../kit/Panel.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Instant } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { Groups } from '../parts/Groups.tsx';
import { RecentEvents } from '../parts/RecentEvents.tsx';
import { draftOf, messageOf, type RoleDraft } from '../parts/role-draft.ts';
import { RoleForm } from '../parts/RoleForm.tsx';
import { RequestTable } from '../parts/RequestTable.tsx';
import { Page } from '../shell/Page.tsx';
import { auditPath, nameOf, rolePath } from '../text/paths.ts';
import { reviewSentence } from '../text/review.ts';
import { visible } from '../text/untrusted.ts';
import { count } from '../text/words.ts';

export function Role(): JSX.Element {
  const params = useParams<{ role: string }>();
  const may = useMay();
  const url = useUrlState({ edit: oneOf('yes') });
  const name = (): string => nameOf(params.role);
  const found = useRpc(RoleService.method.listRoles, () => ({ name: name(), pageSize: 1 }));
  const role = (): RoleShown | undefined => answerOf(found)?.roles[0];
  const [isDeleting, setDeleting] = createSignal(false);
  const isEditing = (): boolean => may.administer() && url.get().edit === 'yes';
  return (
    <Page
      title={name()}
      parent={{ href: '/roles', name: 'Roles' }}
      actions={
        <Show when={may.administer() && role() && !isEditing()}>
          <Button onClick={() => setDeleting(true)}>Delete</Button>
          <LinkButton look="primary" icon="edit" href={`${rolePath(name())}?edit=yes`}>
            Edit
          </LinkButton>
        </Show>
      }
      cli={[
        { does: 'All roles', parts: ['clustral roles list'] },
        { does: 'Ask for it', parts: ['clustral access request <cluster> --role', { value: name() }] },
        { does: 'Give it for good', parts: ['clustral assignments add <user> <cluster>', { value: name() }] },
      ]}
    >
      <View
        query={found}
        isBare
        skeleton="facts"
        isEmpty={(answer) => answer.roles.length === 0}
        empty={{
          icon: 'role',
          title: 'There is no role of this name',
          text: 'It may have been deleted or renamed.',
          action: <LinkButton href="/roles">All roles</LinkButton>,
        }}
      >
        {() => (
          <Show when={role()}>
            {(there) => (
              <Show when={isEditing()} fallback={<Shown role={there()} isReader={may.readAll()} />}>
                <Edit role={there()} />
              </Show>
            )}
          </Show>
        )}
      </View>
      <Show when={isDeleting() && role()}>{(there) => <Delete role={there()} close={() => setDeleting(false)} />}</Show>
    </Page>
  );
}

/** Who has the role on request now. */
function useGrants(role: () => RoleShown) {
  const approved = useRpc(AccessService.method.listAccessRequests, () => ({
    status: AccessRequestStatus.APPROVED,
    pageSize: 200,
  }));
  return {
    query: approved,
    of: () => (answerOf(approved)?.requests ?? []).filter(({ roleId }) => roleId === role().id),
  };
}

function Shown(props: { readonly role: RoleShown; readonly isReader: boolean }): JSX.Element {
  const grants = useGrants(() => props.role);
  return (
    <div class="space-y-4">
      <Panel title="What it gives">
        <Facts
          rows={[
            ['Description', <OrNone text={props.role.description} />],
            ['Kubernetes groups', <Groups groups={props.role.k8sGroups} />],
            ['Decided by', reviewSentence(props.role.review)],
            ['A request must', must(props.role) || undefined],
            ['Created', <Instant at={props.role.createdAt} />],
            ['Revision', <span class="tabular-nums">{String(props.role.revision)}</span>],
            ['Id', <Id id={props.role.id} what="role id" />],
          ]}
        />
      </Panel>
      <Panel title="On request now" note={count(grants.of().length, 'grant')} flush>
        <View
          query={grants.query}
          skeleton="rows"
          isEmpty={() => grants.of().length === 0}
          empty={{
            icon: 'clock',
            title: 'Nobody at the moment',
            text: 'Active grants of this role will stand here. Standing roles are on the page of each person.',
          }}
        >
          {() => <RequestTable name="Active grants of this role" requests={grants.of()} showsWho={props.isReader} />}
        </View>
      </Panel>
      <Show when={props.isReader}>
        <RecentEvents
          title="Latest events"
          filter={{ resourceId: props.role.id }}
          all={auditPath({ range: 'all', resource: props.role.id })}
        />
      </Show>
    </div>
  );
}

function must({ review }: RoleShown): string {
  if (!review) return '';
  const tickets =
    review.ticketForms.length > 0 ? `name a ticket such as ${review.ticketForms.map(visible).join(' or ')}` : '';
  return [review.reasonRequired ? 'say why' : '', tickets].filter(Boolean).join(' and ');
}

function Edit(props: { readonly role: RoleShown }): JSX.Element {
  const { notices } = useApp();
  const navigate = useNavigate();
  const command = useCommand(RoleService.method.updateRole);
  const save = async (draft: RoleDraft): Promise<void> => {
    const saved = await command.run({ id: props.role.id, ...messageOf(draft) });
    if (!saved) return;
    notices.say({ text: `Saved ${visible(saved.name)}.` });
    navigate(rolePath(saved.name));
  };
  return (
    <RoleForm
      initial={draftOf(props.role)}
      act="Save"
      back={rolePath(props.role.name)}
      command={command}
      save={(draft) => void save(draft)}
    />
  );
}

function Delete(props: { readonly role: RoleShown; readonly close: () => void }): JSX.Element {
  const { notices } = useApp();
  const navigate = useNavigate();
  const command = useCommand(RoleService.method.deleteRole);
  const grants = useGrants(() => props.role);
  const remove = async (): Promise<void> => {
    // Once it is deleted there is no role to ask for its name.
    const { id, name } = props.role;
    if (!(await command.run({ id }))) return;
    notices.say({ text: `Deleted ${visible(name)}.` });
    navigate('/roles');
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title="Delete the role?"
      act="Delete for good"
      typed={props.role.name}
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void remove()}
    >
      <p>
        This ends {count(grants.of().length, 'active grant')} of <Untrusted text={props.role.name} mono />, every
        standing role of that name and every request for it, at once and for ever.
      </p>
    </Confirm>
  );
}
