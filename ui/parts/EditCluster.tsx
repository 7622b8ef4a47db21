/** Changing what a cluster is called, described and labelled as. Its id, its agent and every access to it stay. */
import { useNavigate } from '@solidjs/router';
import type { JSX } from 'solid-js';
import { createStore } from 'solid-js/store';
import { ClusterService, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { useApp } from '../data/app.ts';
import { useCommand } from '../data/rpc.ts';
import { Banner } from '../kit/Banner.tsx';
import { Button } from '../kit/Button.tsx';
import { Dialog, FormFailure } from '../kit/Dialog.tsx';
import { labelChange, labelsOf, labelText } from '../text/labels.ts';
import { clusterPath } from '../text/paths.ts';
import { visible } from '../text/untrusted.ts';
import { ClusterFields, clusterFields, type ClusterDraft } from './ClusterFields.tsx';

type EditProps = { readonly cluster: Cluster; readonly close: () => void };

export function EditCluster(props: EditProps): JSX.Element {
  const { notices } = useApp();
  const navigate = useNavigate();
  const command = useCommand(ClusterService.method.updateCluster);
  const { name, description, labels } = props.cluster;
  const [draft, setDraft] = createStore<ClusterDraft>({ name, description, labels: labelText(labels) });
  const isRenamed = (): boolean => draft.name.trim() !== name;
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const read = labelsOf(draft.labels);
    if ('problem' in read) return;
    const saved = await command.run({
      id: props.cluster.id,
      ...(isRenamed() ? { name: draft.name.trim() } : {}),
      ...(draft.description.trim() === description ? {} : { description: draft.description.trim() }),
      ...labelChange(labels, read.labels),
    });
    if (!saved) return;
    notices.say({ text: `Saved ${visible(saved.name)}.` });
    props.close();
    if (isRenamed()) navigate(clusterPath(saved.name), { replace: true });
  };
  return (
    <Dialog isOpen close={props.close} title="Edit the cluster">
      <form class="space-y-4" onSubmit={(event) => void save(event)} novalidate>
        <ClusterFields draft={draft} setDraft={setDraft} failure={command.failure()} />
        {isRenamed() ? (
          <Banner tone="warn">Contexts that people have keep working; commands that name the cluster do not.</Banner>
        ) : undefined}
        <FormFailure failure={command.failure()} fields={clusterFields} />
        <div class="flex justify-end gap-2">
          <Button onClick={() => props.close()}>Cancel</Button>
          <Button
            look="primary"
            type="submit"
            busy={command.isRunning()}
            disabled={draft.name.trim() === '' || 'problem' in labelsOf(draft.labels)}
          >
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
