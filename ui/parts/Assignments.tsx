/** Standing roles of one person, one per cluster; for administrators with giving and taking. */
import { createSignal, Show, type JSX } from 'solid-js';
import { UserService, type Assignment, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { Banner } from '../kit/Banner.tsx';
import { Button, TextLink } from '../kit/Button.tsx';
import { Confirm, Dialog, FormFailure } from '../kit/Dialog.tsx';
import { SelectField } from '../kit/Field.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Ago } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { clusterPath, rolePath } from '../text/paths.ts';
import { visible } from '../text/untrusted.ts';
import { count } from '../text/words.ts';
import { Groups } from './Groups.tsx';
import { choicesOf, useClusters, useRoles } from './lists.ts';

export function Assignments(props: { readonly user: User; readonly mayChange: boolean }): JSX.Element {
  const assignments = useRpc(UserService.method.listAssignments, () => ({ userId: props.user.id }));
  const [isGiving, setGiving] = createSignal(false);
  const [taking, setTaking] = createSignal<Assignment>();
  const takeAway: Column<Assignment> = {
    head: '',
    atEnd: true,
    cell: (one) => (
      <Button size="sm" onClick={() => setTaking(one())}>
        Take away
      </Button>
    ),
  };
  const give = (
    <Button size="sm" icon="plus" onClick={() => setGiving(true)}>
      Give a role
    </Button>
  );
  return (
    <Panel
      title="Standing roles"
      note={count(answerOf(assignments)?.assignments.length ?? 0, 'cluster')}
      flush
      actions={<Show when={props.mayChange}>{give}</Show>}
    >
      <View
        query={assignments}
        skeleton="rows"
        isEmpty={(answer) => answer.assignments.length === 0}
        empty={{
          icon: 'role',
          title: 'No standing role',
          text: 'A standing role lasts until it is taken away. For a task, access on request is the better way.',
        }}
      >
        {(answer) => (
          <Table
            name="Standing roles"
            items={answer().assignments}
            keyOf={({ id }) => id}
            columns={props.mayChange ? [...columns, takeAway] : columns}
          />
        )}
      </View>
      <Dialog
        isOpen={isGiving()}
        close={() => setGiving(false)}
        title="Give a standing role"
        lead="It lasts until it is taken away."
      >
        <GiveForm user={props.user} held={answerOf(assignments)?.assignments ?? []} close={() => setGiving(false)} />
      </Dialog>
      <Show when={taking()}>
        {(assignment) => <Take assignment={assignment()} user={props.user} close={() => setTaking(undefined)} />}
      </Show>
    </Panel>
  );
}

const columns: readonly Column<Assignment>[] = [
  {
    head: 'Cluster',
    cell: (one) => (
      <TextLink href={clusterPath(one().clusterName)}>
        <Untrusted text={one().clusterName} />
      </TextLink>
    ),
  },
  {
    head: 'Role',
    cell: (one) => (
      <TextLink href={rolePath(one().roleName)}>
        <Untrusted text={one().roleName} />
      </TextLink>
    ),
  },
  {
    head: 'Given',
    cell: (one) => (
      <span class="text-soft">
        <Ago at={one().assignedAt} />
      </span>
    ),
  },
  {
    head: 'By',
    cell: (one) => (
      <span class="text-soft">
        <OrNone text={one().assignedBy} none="unknown" />
      </span>
    ),
  },
];

type GiveProps = { readonly user: User; readonly held: readonly Assignment[]; readonly close: () => void };

function GiveForm(props: GiveProps): JSX.Element {
  const { notices } = useApp();
  const clusters = useClusters();
  const roles = useRoles();
  const command = useCommand(UserService.method.assignRole);
  const [clusterId, setClusterId] = createSignal('');
  const [roleId, setRoleId] = createSignal('');
  const replaced = (): Assignment | undefined => props.held.find((one) => one.clusterId === clusterId());
  const role = () => roles.all().find(({ id }) => id === roleId());
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const given = await command.run({ userId: props.user.id, clusterId: clusterId(), roleId: roleId() });
    if (!given) return;
    notices.say({ text: `Gave ${visible(given.roleName)} on ${visible(given.clusterName)}.` });
    props.close();
  };
  return (
    <form class="space-y-4" onSubmit={(event) => void submit(event)}>
      <SelectField
        label="Cluster"
        value={clusterId()}
        onValue={setClusterId}
        choices={choicesOf(clusters.all())}
        none="Choose a cluster"
      />
      <SelectField
        label="Role"
        value={roleId()}
        onValue={setRoleId}
        choices={choicesOf(roles.all())}
        none="Choose a role"
      />
      <Show when={role()}>
        {(chosen) => (
          <p class="text-xs text-soft">
            Kubernetes groups <Groups groups={chosen().k8sGroups} />
          </p>
        )}
      </Show>
      <Show when={replaced()}>
        {(one) => (
          <Banner tone="warn">
            It replaces <Untrusted text={one().roleName} mono /> there: one person has one role on a cluster.
          </Banner>
        )}
      </Show>
      <FormFailure failure={command.failure()} />
      <div class="flex justify-end gap-2">
        <Button onClick={() => props.close()}>Cancel</Button>
        <Button
          look="primary"
          type="submit"
          busy={command.isRunning()}
          disabled={clusterId() === '' || roleId() === ''}
        >
          Give the role
        </Button>
      </div>
    </form>
  );
}

function Take(props: {
  readonly assignment: Assignment;
  readonly user: User;
  readonly close: () => void;
}): JSX.Element {
  const { notices } = useApp();
  const command = useCommand(UserService.method.unassignRole);
  const take = async (): Promise<void> => {
    const { id, roleName, clusterName } = props.assignment;
    if (!(await command.run({ userId: props.user.id, assignmentId: id }))) return;
    notices.say({ text: `Took ${visible(roleName)} on ${visible(clusterName)} away.` });
    props.close();
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title="Take the role away?"
      act="Take away"
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void take()}
    >
      <p>
        <Untrusted text={props.user.email || props.user.name} /> loses{' '}
        <Untrusted text={props.assignment.roleName} mono /> on <Untrusted text={props.assignment.clusterName} mono />.
        The next request is refused, open streams end within 5 seconds.
      </p>
    </Confirm>
  );
}
