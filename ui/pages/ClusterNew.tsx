/** `/clusters/new`: registering a cluster: a name, then the token and the commands, then the list that fills itself. */
import { createSignal, Show, type JSX } from 'solid-js';
import { createStore } from 'solid-js/store';
import { ClusterService, type RegisterClusterResponse } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useCommand } from '../data/rpc.ts';
import { Button, LinkButton } from '../kit/Button.tsx';
import { FormFailure } from '../kit/Dialog.tsx';
import { Panel } from '../kit/Panel.tsx';
import { ClusterFields, clusterFields, type ClusterDraft } from '../parts/ClusterFields.tsx';
import { Enrolment } from '../parts/Enrolment.tsx';
import { Page } from '../shell/Page.tsx';
import { labelsOf } from '../text/labels.ts';
import { clusterPath } from '../text/paths.ts';

export function ClusterNew(): JSX.Element {
  const [registered, setRegistered] = createSignal<RegisterClusterResponse>();
  const [draft, setDraft] = createStore<ClusterDraft>({ name: '', description: '', labels: '' });
  return (
    <Page
      title={registered() ? draft.name : 'Register a cluster'}
      parent={{ href: '/clusters', name: 'Clusters' }}
      lead={
        registered()
          ? 'Registered. Now its agent.'
          : 'The cluster gets an id and a one-time token for its agent, which dials out to Clustral.'
      }
      actions={
        <Show when={registered()}>
          <LinkButton look="primary" href={clusterPath(draft.name)}>
            To the cluster
          </LinkButton>
        </Show>
      }
      cli={[
        {
          does: 'Register it from the terminal',
          parts: ['clustral clusters register', { value: draft.name || '<name>' }],
        },
      ]}
    >
      <Show when={registered()} fallback={<Form draft={draft} setDraft={setDraft} done={setRegistered} />}>
        {(answer) => (
          <Panel class="max-w-3xl">
            <Enrolment name={draft.name} registered={answer()} />
          </Panel>
        )}
      </Show>
    </Page>
  );
}

type FormProps = {
  readonly draft: Readonly<ClusterDraft>;
  readonly setDraft: (field: keyof ClusterDraft, value: string) => void;
  readonly done: (registered: RegisterClusterResponse) => void;
};

function Form(props: FormProps): JSX.Element {
  const command = useCommand(ClusterService.method.registerCluster);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const read = labelsOf(props.draft.labels);
    if ('problem' in read) return;
    const { name, description } = props.draft;
    const answer = await command.run({ name: name.trim(), description: description.trim(), labels: read.labels });
    if (answer) props.done(answer);
  };
  return (
    <Panel class="max-w-xl">
      <form class="space-y-4" onSubmit={(event) => void submit(event)} novalidate>
        <ClusterFields draft={props.draft} setDraft={props.setDraft} failure={command.failure()} />
        <FormFailure failure={command.failure()} fields={clusterFields} />
        <div class="flex justify-end gap-2">
          <LinkButton href="/clusters">Cancel</LinkButton>
          <Button
            look="primary"
            type="submit"
            busy={command.isRunning()}
            disabled={props.draft.name.trim() === '' || 'problem' in labelsOf(props.draft.labels)}
          >
            Register
          </Button>
        </div>
      </form>
    </Panel>
  );
}
