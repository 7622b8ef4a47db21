/** Ending granted access before its time: giving one's own back, or taking somebody's. It says what ends with it. */
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { CredentialService } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { useApp } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { Confirm } from '../kit/Dialog.tsx';
import { TextField } from '../kit/Field.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { count } from '../text/words.ts';
import { visible } from '../text/untrusted.ts';

type EndProps = {
  readonly request: AccessRequest | undefined;
  readonly isOwn: boolean;
  readonly close: () => void;
};

export function EndGrant(props: EndProps): JSX.Element {
  return <Show when={props.request}>{(request) => <Ending {...props} request={request()} />}</Show>;
}

function Ending(props: EndProps & { readonly request: AccessRequest }): JSX.Element {
  const { notices } = useApp();
  const command = useCommand(AccessService.method.revokeAccessRequest);
  const [reason, setReason] = createSignal('');
  const credentials = useRpc(CredentialService.method.listCredentials, () => ({
    clusterId: props.request.clusterId,
    userId: props.request.requesterId,
    active: true,
    pageSize: 200,
  }));
  const live = (): number => answerOf(credentials)?.credentials.length ?? 0;
  const end = async (): Promise<void> => {
    if (!(await command.run({ id: props.request.id, reason: reason().trim() }))) return;
    notices.say({ text: `Ended: ${visible(props.request.requesterName)} on ${visible(props.request.clusterName)}.` });
    props.close();
  };
  return (
    <Confirm
      isOpen
      close={props.close}
      title={props.isOwn ? 'Give access back?' : 'Revoke access?'}
      act={props.isOwn ? 'Give back' : 'Revoke'}
      isRunning={command.isRunning()}
      failure={command.failure()}
      onConfirm={() => void end()}
    >
      <p>
        <strong class="font-semibold">
          <Untrusted text={props.request.requesterName} />
        </strong>{' '}
        loses <Untrusted text={props.request.roleName} mono /> on <Untrusted text={props.request.clusterName} mono />.
        The next request is refused,{' '}
        {live() === 0
          ? 'open streams end'
          : `${count(live(), 'live credential stops working', 'live credentials stop working')} and open streams end`}{' '}
        within 5 seconds. It cannot be undone: a new request would have to be made.
      </p>
      <TextField
        label="Reason"
        value={reason()}
        onValue={setReason}
        isOptional
        hint="It stands in the audit log."
        maxlength={1_000}
      />
    </Confirm>
  );
}
