/** Keeping a person out, and letting them in again. Nobody disables themselves; the server refuses it, this page does not offer it. */
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { Button } from '../kit/Button.tsx';
import { Confirm, FormFailure } from '../kit/Dialog.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { count } from '../text/words.ts';
import { visible } from '../text/untrusted.ts';
import { useMe } from './me.ts';

export function KeepOut(props: { readonly user: User }): JSX.Element {
  const { notices } = useApp();
  const me = useMe();
  const enable = useCommand(UserService.method.enableUser);
  const [isAsking, setAsking] = createSignal(false);
  const letIn = async (): Promise<void> => {
    if (await enable.run({ userId: props.user.id }))
      notices.say({ text: `${visible(props.user.email || props.user.name)} may sign in again.` });
  };
  return (
    <Panel title="Administration">
      <div class="flex flex-wrap items-center gap-3 text-sm">
        <div class="min-w-60 flex-1">
          <h3 class="font-medium">{props.user.disabled ? 'Let this person in again' : 'Keep this person out'}</h3>
          <p class="text-soft">
            {props.user.disabled
              ? 'Sign-in and standing roles come back. Credentials, requests and grants that ended stay ended.'
              : 'Ends credentials, requests and grants for ever; standing roles sleep until the person is let in again.'}
          </p>
        </div>
        <Show
          when={props.user.disabled}
          fallback={
            <Button look="danger" icon="ban" disabled={me.id() === props.user.id} onClick={() => setAsking(true)}>
              {me.id() === props.user.id ? 'That is you' : 'Disable'}
            </Button>
          }
        >
          <Button busy={enable.isRunning()} onClick={() => void letIn()}>
            Enable
          </Button>
        </Show>
      </div>
      <div class="mt-3 empty:hidden">
        <FormFailure failure={enable.failure()} />
      </div>
      <Show when={isAsking()}>
        <Disable user={props.user} close={() => setAsking(false)} />
      </Show>
    </Panel>
  );
}

function Disable(props: { readonly user: User; readonly close: () => void }): JSX.Element {
  const { notices } = useApp();
  const command = useCommand(UserService.method.disableUser);
  const credentials = useRpc(CredentialService.method.listCredentials, () => ({
    userId: props.user.id,
    active: true,
    pageSize: 200,
  }));
  const requests = useRpc(AccessService.method.listAccessRequests, () => ({
    requesterId: props.user.id,
    pageSize: 100,
  }));
  const keys = (): number => answerOf(credentials)?.credentials.length ?? 0;
  const running = (status: AccessRequestStatus): number =>
    answerOf(requests)?.requests.filter((request) => request.status === status).length ?? 0;
  const disable = async (): Promise<void> => {
    if (!(await command.run({ userId: props.user.id }))) return;
    notices.say({ text: `Disabled ${visible(props.user.email || props.user.name)}.` });
    props.close();
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title="Disable this person?"
      act="Disable"
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void disable()}
    >
      <p>
        <Untrusted text={props.user.email || props.user.name} /> is kept out at once. It revokes{' '}
        {count(keys(), 'live credential')}, ends {count(running(AccessRequestStatus.APPROVED), 'grant')} and{' '}
        {count(running(AccessRequestStatus.PENDING), 'pending request')}, for ever.
      </p>
    </Confirm>
  );
}
