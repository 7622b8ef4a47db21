/** What an administrator does to a cluster: a new token for its agent, revoking the agent, deleting the cluster. */
import { useNavigate } from '@solidjs/router';
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import {
  ClusterService,
  type Cluster,
  type RegisterClusterResponse,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { Button } from '../kit/Button.tsx';
import { Confirm, Dialog, FormFailure } from '../kit/Dialog.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { visible } from '../text/untrusted.ts';
import { count } from '../text/words.ts';
import { EditCluster } from './EditCluster.tsx';
import { Enrolment } from './Enrolment.tsx';

export function ClusterActs(props: { readonly cluster: Cluster }): JSX.Element {
  const [isEditing, setEditing] = createSignal(false);
  const [isRevoking, setRevoking] = createSignal(false);
  const [isDeleting, setDeleting] = createSignal(false);
  return (
    <Panel title="Administration" class="lg:col-span-2">
      <ul class="divide-y divide-line text-sm [&>li]:flex [&>li]:flex-wrap [&>li]:items-center [&>li]:gap-3 [&>li]:py-3 [&>li:first-child]:pt-0 [&>li:last-child]:pb-0">
        <li>
          <Act
            title="Name, description, labels"
            text="What people call it and find it by. Its id and every access stay."
          />
          <Button icon="edit" onClick={() => setEditing(true)}>
            Edit
          </Button>
        </li>
        <li>
          <Act
            title="Enrol the agent again"
            text="Issues a new one-time token; an older unused one dies. Id, roles and assignments stay."
          />
          <NewToken cluster={props.cluster} />
        </li>
        <li>
          <Act
            title="Revoke the agent"
            text="Closes the tunnel within a second and keeps the agent out until it is enrolled again."
          />
          <Button icon="ban" onClick={() => setRevoking(true)}>
            Revoke
          </Button>
        </li>
        <li>
          <Act
            title="Delete the cluster"
            text="Closes its tunnel and ends every access to it. The audit log keeps what happened."
          />
          <Button look="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </li>
      </ul>
      <Show when={isEditing()}>
        <EditCluster cluster={props.cluster} close={() => setEditing(false)} />
      </Show>
      <Show when={isRevoking()}>
        <Revoke cluster={props.cluster} close={() => setRevoking(false)} />
      </Show>
      <Show when={isDeleting()}>
        <Delete cluster={props.cluster} close={() => setDeleting(false)} />
      </Show>
    </Panel>
  );
}

const Act = (props: { readonly title: string; readonly text: string }): JSX.Element => (
  <div class="min-w-60 flex-1">
    <h3 class="font-medium">{props.title}</h3>
    <p class="text-soft">{props.text}</p>
  </div>
);

function NewToken(props: { readonly cluster: Cluster }): JSX.Element {
  const command = useCommand(ClusterService.method.issueBootstrapToken);
  const [issued, setIssued] = createSignal<RegisterClusterResponse>();
  return (
    <>
      <Button
        icon="key"
        busy={command.isRunning()}
        onClick={() => void command.run({ id: props.cluster.id }).then(setIssued)}
      >
        New token
      </Button>
      <div class="w-full empty:hidden">
        <FormFailure failure={command.failure()} />
      </div>
      <Dialog
        isOpen={issued() !== undefined}
        close={() => setIssued(undefined)}
        title={`Enrol the agent of ${visible(props.cluster.name)}`}
        side
      >
        <Show when={issued()}>{(registered) => <Enrolment name={props.cluster.name} registered={registered()} />}</Show>
      </Dialog>
    </>
  );
}

/** What depends on the cluster at this moment, in words. */
function useReach(cluster: () => Cluster): () => string {
  const credentials = useRpc(CredentialService.method.listCredentials, () => ({
    clusterId: cluster().id,
    active: true,
    pageSize: 200,
  }));
  const grants = useRpc(AccessService.method.listAccessRequests, () => ({
    clusterId: cluster().id,
    status: AccessRequestStatus.APPROVED,
    pageSize: 200,
  }));
  return () => {
    const live = answerOf(credentials)?.credentials.length ?? 0;
    const active = answerOf(grants)?.requests.length ?? 0;
    return `${count(live, 'live credential')} and ${count(active, 'active grant')}`;
  };
}

type ActProps = { readonly cluster: Cluster; readonly close: () => void };

function Revoke(props: ActProps): JSX.Element {
  const { notices } = useApp();
  const command = useCommand(ClusterService.method.revokeAgent);
  const reach = useReach(() => props.cluster);
  const revoke = async (): Promise<void> => {
    if (!(await command.run({ id: props.cluster.id }))) return;
    notices.say({ text: `Revoked the agent of ${visible(props.cluster.name)}.` });
    props.close();
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title="Revoke the agent?"
      act="Revoke the agent"
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void revoke()}
    >
      <p>
        The tunnel to <Untrusted text={props.cluster.name} mono /> closes, and with it every open request: {reach()}{' '}
        reach nothing until the agent is enrolled again with a new token. They do not end.
      </p>
    </Confirm>
  );
}

function Delete(props: ActProps): JSX.Element {
  const { notices } = useApp();
  const navigate = useNavigate();
  const command = useCommand(ClusterService.method.deleteCluster);
  const reach = useReach(() => props.cluster);
  const remove = async (): Promise<void> => {
    // Once it is deleted there is no cluster to ask for its name.
    const { id, name } = props.cluster;
    if (!(await command.run({ id }))) return;
    notices.say({ text: `Deleted ${visible(name)}.` });
    navigate('/clusters');
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title="Delete the cluster?"
      act="Delete for good"
      typed={props.cluster.name}
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void remove()}
    >
      <p>
        This ends {reach()} on <Untrusted text={props.cluster.name} mono />, and every standing role there. It cannot be
        undone; a cluster registered under the same name is another cluster.
      </p>
    </Confirm>
  );
}
