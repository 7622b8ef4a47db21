/** Name, description and labels of a cluster: the same fields when it is registered and when it is changed. */
import type { JSX } from 'solid-js';
import type { Failure } from '../data/failure.ts';
import { AreaField, TextField } from '../kit/Field.tsx';
import { labelsOf } from '../text/labels.ts';

export type ClusterDraft = { name: string; description: string; labels: string };

/** Fields that show what the server found wrong with them by themselves. */
export const clusterFields = ['name', 'description', 'labels'] as const;

export function ClusterFields(props: {
  readonly draft: Readonly<ClusterDraft>;
  readonly setDraft: (field: keyof ClusterDraft, value: string) => void;
  readonly failure: Failure | undefined;
}): JSX.Element {
  const problemOf = (field: keyof ClusterDraft): string | undefined =>
    props.failure?.field === field ? props.failure.message : undefined;
  const labelProblem = (): string | undefined => {
    const read = labelsOf(props.draft.labels);
    return 'problem' in read ? read.problem : problemOf('labels');
  };
  return (
    <>
      <TextField
        label="Name"
        value={props.draft.name}
        onValue={(value) => props.setDraft('name', value)}
        hint="What people type: 1 to 63 of a-z, 0-9, '-' and '.'."
        problem={problemOf('name')}
        autocomplete="off"
        spellcheck={false}
        mono
        required
      />
      <TextField
        label="Description"
        value={props.draft.description}
        onValue={(value) => props.setDraft('description', value)}
        problem={problemOf('description')}
        isOptional
        maxlength={1_024}
      />
      <AreaField
        label="Labels"
        value={props.draft.labels}
        onValue={(value) => props.setDraft('labels', value)}
        hint="One key=value in a line. env=prod marks it as production."
        problem={labelProblem()}
        rows={3}
        placeholder={'env=prod\nregion=eu'}
        isOptional
        mono
      />
    </>
  );
}
