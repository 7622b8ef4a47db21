/** Live credentials of one person: what a kubectl somewhere holds at this moment. */
import { createSignal, Show, type JSX } from 'solid-js';
import { CredentialService, type Credential } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import type { User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { Button } from '../kit/Button.tsx';
import { Id } from '../kit/Copy.tsx';
import { Confirm } from '../kit/Dialog.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { Ago, Left } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { visible } from '../text/untrusted.ts';

export function Credentials(props: { readonly user: User; readonly mayRevoke: boolean }): JSX.Element {
  const credentials = useRpc(CredentialService.method.listCredentials, () => ({
    userId: props.user.id,
    active: true,
    pageSize: 200,
  }));
  const [revoking, setRevoking] = createSignal<Credential>();
  const theirs = (): readonly Credential[] => answerOf(credentials)?.credentials ?? [];
  const columns = (): readonly Column<Credential>[] => [
    {
      head: 'Cluster',
      cell: (one) => (
        <span class="font-medium">
          <Untrusted text={one().clusterName} />
        </span>
      ),
    },
    { head: 'Credential', cell: (one) => <Id id={one().id} what="credential id" /> },
    {
      head: 'Issued',
      cell: (one) => (
        <span class="text-soft">
          <Ago at={one().issuedAt} />
        </span>
      ),
    },
    { head: 'Ends', cell: (one) => <Show when={one().expiresAt}>{(until) => <Left until={until()} />}</Show> },
    ...(props.mayRevoke
      ? [
          {
            head: '',
            atEnd: true,
            cell: (one: () => Credential) => (
              <Button size="sm" onClick={() => setRevoking(one())}>
                Revoke
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <Panel title="Live credentials" note="neither revoked nor expired" flush>
      <View
        query={credentials}
        skeleton="rows"
        isEmpty={() => theirs().length === 0}
        empty={{
          icon: 'key',
          title: 'No live credential',
          text: 'No kubectl of this person holds a key at the moment.',
        }}
      >
        {() => <Table name="Live credentials" items={theirs()} keyOf={({ id }) => id} columns={columns()} />}
      </View>
      <Show when={revoking()}>
        {(credential) => <Revoke credential={credential()} close={() => setRevoking(undefined)} />}
      </Show>
    </Panel>
  );
}

function Revoke(props: { readonly credential: Credential; readonly close: () => void }): JSX.Element {
  const { notices } = useApp();
  const command = useCommand(CredentialService.method.revokeCredential);
  const revoke = async (): Promise<void> => {
    if (!(await command.run({ id: props.credential.id }))) return;
    notices.say({ text: `Revoked a credential for ${visible(props.credential.clusterName)}.` });
    props.close();
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title="Revoke the credential?"
      act="Revoke"
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void revoke()}
    >
      <p>
        One key for <Untrusted text={props.credential.clusterName} mono /> stops working at its next request. The role
        stays: a new key can be had at once. To keep somebody out, take the role away or disable the person.
      </p>
    </Confirm>
  );
}
