/** Deciding somebody else's request: approve for as long as asked or shorter, or deny. It carries what was shown, so that a role that changed meanwhile is refused. */
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useApp } from '../data/app.ts';
import { useCommand } from '../data/rpc.ts';
import { Banner } from '../kit/Banner.tsx';
import { Button } from '../kit/Button.tsx';
import { FormFailure } from '../kit/Dialog.tsx';
import { TextField } from '../kit/Field.tsx';
import { Panel } from '../kit/Panel.tsx';
import { visible } from '../text/untrusted.ts';
import { DurationField, durationProblem } from './DurationField.tsx';
import { givesAll } from './Groups.tsx';

/** What the reviewer was shown when the form opened: the page underneath is asked again all the time. */
type Shown = Pick<AccessRequest, 'currentRoleRevision' | 'shownAt'>;

export function DecisionForm(props: { readonly request: AccessRequest }): JSX.Element {
  const { notices } = useApp();
  const approve = useCommand(AccessService.method.approveAccessRequest);
  const deny = useCommand(AccessService.method.denyAccessRequest);
  const [duration, setDuration] = createSignal(props.request.duration);
  const [reason, setReason] = createSignal('');
  const [isDenying, setDenying] = createSignal(false);
  const [shown, setShown] = createSignal<Shown>(snapshot(props.request));
  const hasChanged = (): boolean => shown().currentRoleRevision !== props.request.currentRoleRevision;
  const seen = () => {
    const { currentRoleRevision, shownAt } = shown();
    return { id: props.request.id, roleRevision: currentRoleRevision, ...(shownAt ? { shownAt } : {}) };
  };
  const whom = (): string => visible(props.request.requesterName);
  const runApprove = async (): Promise<void> => {
    const asIs = duration() === props.request.duration;
    const decided = await approve.run({ ...seen(), duration: asIs ? '' : duration().trim() });
    if (decided) notices.say({ text: `Approved for ${whom()}.` });
  };
  const runDeny = async (): Promise<void> => {
    if (await deny.run({ ...seen(), reason: reason().trim() })) notices.say({ text: `Denied ${whom()}.` });
  };
  return (
    <Panel title="Your decision">
      <form
        class="space-y-4"
        novalidate
        onSubmit={(event) => {
          event.preventDefault();
          void (isDenying() ? runDeny() : runApprove());
        }}
      >
        <Warnings request={props.request} hasChanged={hasChanged()} look={() => setShown(snapshot(props.request))} />
        <Show
          when={isDenying()}
          fallback={
            <DurationField
              label="Grant for"
              value={duration()}
              onValue={setDuration}
              hint={`${props.request.duration} is asked for. The clock starts when it is approved.`}
              problem={approve.failure()?.field === 'duration' ? approve.failure()?.message : undefined}
            />
          }
        >
          <TextField
            label="Reason"
            value={reason()}
            onValue={setReason}
            hint="The requester reads it."
            isOptional
            maxlength={1_000}
          />
        </Show>
        <FormFailure failure={isDenying() ? deny.failure() : approve.failure()} fields={['duration']} />
        <Buttons
          isDenying={isDenying()}
          setDenying={setDenying}
          isRunning={approve.isRunning() || deny.isRunning()}
          mayApprove={!hasChanged() && duration() !== '' && durationProblem(duration()) === undefined}
        />
      </form>
    </Panel>
  );
}

function Buttons(props: {
  readonly isDenying: boolean;
  readonly setDenying: (is: boolean) => void;
  readonly isRunning: boolean;
  readonly mayApprove: boolean;
}): JSX.Element {
  return (
    <div class="flex gap-2">
      <Show
        when={props.isDenying}
        fallback={
          <>
            <Button
              look="primary"
              type="submit"
              class="flex-1"
              icon="check"
              busy={props.isRunning}
              disabled={!props.mayApprove}
            >
              Approve
            </Button>
            <Button class="flex-1" onClick={() => props.setDenying(true)}>
              Deny…
            </Button>
          </>
        }
      >
        <Button look="danger" type="submit" class="flex-1" busy={props.isRunning}>
          Deny
        </Button>
        <Button class="flex-1" onClick={() => props.setDenying(false)}>
          Back
        </Button>
      </Show>
    </div>
  );
}

const snapshot = ({ currentRoleRevision, shownAt }: AccessRequest): Shown => ({
  currentRoleRevision,
  ...(shownAt ? { shownAt } : {}),
});

function Warnings(props: {
  readonly request: AccessRequest;
  readonly hasChanged: boolean;
  readonly look: () => void;
}): JSX.Element {
  const needed = (): number => props.request.review?.approvals ?? 1;
  return (
    <>
      <Show when={props.hasChanged}>
        <Banner
          tone="warn"
          role="alert"
          actions={
            <Button size="sm" onClick={() => props.look()}>
              I have looked
            </Button>
          }
        >
          The role was changed while this page was open. Look at its groups again.
        </Banner>
      </Show>
      <Show when={givesAll(props.request.roleK8sGroups)}>
        <Banner tone="bad">
          This role gives <code class="font-mono text-xs">system:masters</code>: everything in the cluster, whatever its
          RBAC says.
        </Banner>
      </Show>
      <Show when={needed() > 1}>
        <p class="text-sm text-soft">
          {props.request.approvals.length} of {needed()} approvals so far. The shortest time that any of them names
          counts.
        </p>
      </Show>
    </>
  );
}
