/** The form of a role: its groups, and the rules by which it is granted. It shows what a change gives and takes before it is saved. */
import { For, Show, type JSX } from 'solid-js';
import { createStore, type SetStoreFunction } from 'solid-js/store';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import type { Command } from '../data/rpc.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { Banner } from '../kit/Banner.tsx';
import { Button, LinkButton } from '../kit/Button.tsx';
import { FormFailure } from '../kit/Dialog.tsx';
import { AreaField, SelectField, TextField } from '../kit/Field.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Chip } from '../kit/Status.tsx';
import { durationProblem } from './DurationField.tsx';
import { Groups } from './Groups.tsx';
import { choicesOf } from './lists.ts';
import { groupChange, linesOf, type RoleDraft } from './role-draft.ts';

const fields = [
  'name',
  'description',
  'k8sGroups',
  'review.maxDuration',
  'review.reviewerGroups',
  'review.ticketForms',
] as const;
type FieldName = (typeof fields)[number];

type RoleFormProps = {
  readonly initial: RoleDraft;
  readonly act: string;
  readonly back: string;
  readonly command: Pick<Command<unknown, unknown>, 'failure' | 'isRunning'>;
  readonly save: (draft: RoleDraft) => void;
};

export function RoleForm(props: RoleFormProps): JSX.Element {
  const [draft, setDraft] = createStore<RoleDraft>({ ...props.initial });
  const problemOf = (field: FieldName): string | undefined => {
    const failure = props.command.failure();
    return failure?.field === field ? failure.message : undefined;
  };
  const isWhole = (): boolean =>
    draft.name.trim() !== '' && linesOf(draft.groups).length > 0 && durationProblem(draft.maxDuration) === undefined;
  return (
    <form
      class="max-w-2xl space-y-4"
      novalidate
      onSubmit={(event) => {
        event.preventDefault();
        props.save({ ...draft });
      }}
    >
      <Gives draft={draft} setDraft={setDraft} problemOf={problemOf} before={props.initial} />
      <Rules draft={draft} setDraft={setDraft} problemOf={problemOf} />
      <FormFailure failure={props.command.failure()} fields={fields} />
      <div class="flex justify-end gap-2">
        <LinkButton href={props.back}>Cancel</LinkButton>
        <Button look="primary" type="submit" busy={props.command.isRunning()} disabled={!isWhole()}>
          {props.act}
        </Button>
      </div>
    </form>
  );
}

function Gives(props: RulesProps & { readonly before: RoleDraft }): JSX.Element {
  return (
    <Panel title="What it gives">
      <div class="space-y-4">
        <TextField
          label="Name"
          value={props.draft.name}
          onValue={(value) => props.setDraft('name', value)}
          hint="1 to 63 of a-z, 0-9, '-' and '.'."
          problem={props.problemOf('name')}
          autocomplete="off"
          spellcheck={false}
          mono
          required
        />
        <TextField
          label="Description"
          value={props.draft.description}
          onValue={(value) => props.setDraft('description', value)}
          problem={props.problemOf('description')}
          maxlength={1_024}
          isOptional
        />
        <AreaField
          label="Kubernetes groups"
          value={props.draft.groups}
          onValue={(value) => props.setDraft('groups', value)}
          hint="One in a line, exactly as the RBAC of the clusters names it. Commas and blanks inside belong to the name."
          problem={props.problemOf('k8sGroups')}
          rows={4}
          placeholder="clustral:viewers"
          mono
        />
        <Show when={linesOf(props.draft.groups).includes('system:masters')}>
          <Banner tone="bad">
            <code class="font-mono text-xs">system:masters</code> is everything in every cluster, whatever RBAC says,
            and cannot be limited there.
          </Banner>
        </Show>
        <Show when={props.before.name !== ''}>
          <Change before={props.before.groups} after={props.draft.groups} />
        </Show>
      </div>
    </Panel>
  );
}

function Change(props: { readonly before: string; readonly after: string }): JSX.Element {
  const change = () => groupChange(props.before, props.after);
  return (
    <Show when={change().given.length + change().taken.length > 0}>
      <div class="rounded-md border border-line bg-sunken px-3 py-2 text-sm">
        <Show when={change().given.length > 0}>
          <p class="flex flex-wrap items-baseline gap-1.5">
            <span class="text-soft">Everybody who has it gets</span> <Groups groups={change().given} />
          </p>
        </Show>
        <Show when={change().taken.length > 0}>
          <p class="flex flex-wrap items-baseline gap-1.5">
            <span class="text-soft">and loses at their next request</span> <Groups groups={change().taken} />
          </p>
        </Show>
      </div>
    </Show>
  );
}

type RulesProps = {
  readonly draft: RoleDraft;
  readonly setDraft: SetStoreFunction<RoleDraft>;
  readonly problemOf: (field: FieldName) => string | undefined;
};

function Rules(props: RulesProps): JSX.Element {
  return (
    <Panel title="How requests for it are decided" note="administrators always may, whoever asked never">
      <div class="space-y-4">
        <SelectField
          label="Approvals needed"
          value={props.draft.approvals}
          onValue={(value) => props.setDraft('approvals', value)}
          choices={['1', '2', '3', '4', '5'].map((value) => ({ value, text: value }))}
          hint="By so many different people."
        />
        <TextField
          label="Longest grant"
          value={props.draft.maxDuration}
          onValue={(value) => props.setDraft('maxDuration', value)}
          hint="Empty: as long as this installation allows."
          problem={durationProblem(props.draft.maxDuration) ?? props.problemOf('review.maxDuration')}
          placeholder="4h"
          isOptional
          mono
        />
        <AreaField
          label="Groups that may review"
          value={props.draft.reviewerGroups}
          onValue={(value) => props.setDraft('reviewerGroups', value)}
          hint="Groups of the identity provider, one in a line."
          problem={props.problemOf('review.reviewerGroups')}
          rows={2}
          isOptional
          mono
        />
        <Reviewers {...props} />
        <label class="flex min-h-6 items-center gap-2.5 text-sm">
          <input
            type="checkbox"
            class="size-4 accent-accent"
            checked={props.draft.reasonRequired}
            onChange={(event) => props.setDraft('reasonRequired', event.currentTarget.checked)}
          />
          A request must say why
        </label>
        <AreaField
          label="Tickets"
          value={props.draft.ticketForms}
          onValue={(value) => props.setDraft('ticketForms', value)}
          hint="The reason must name one. One form in a line, # for a number: OPS-#"
          problem={props.problemOf('review.ticketForms')}
          rows={2}
          isOptional
          mono
        />
      </div>
    </Panel>
  );
}

/** People who may review, chosen from those who have signed in. */
function Reviewers(props: RulesProps): JSX.Element {
  const users = useRpc(UserService.method.listUsers, () => ({ pageSize: 200 }));
  const people = () => (answerOf(users)?.users ?? []).map(({ id, email, name }) => ({ id, name: email || name }));
  const nameOf = (id: string): string => people().find((one) => one.id === id)?.name ?? id;
  const free = () => people().filter(({ id }) => !props.draft.reviewerIds.includes(id));
  return (
    <div class="space-y-2">
      <SelectField
        label="People who may review"
        value=""
        onValue={(id) => id !== '' && props.setDraft('reviewerIds', (ids) => [...ids, id])}
        choices={choicesOf(free())}
        none="Add a person"
        isOptional
      />
      <ul class="flex flex-wrap gap-1.5 empty:hidden">
        <For each={props.draft.reviewerIds}>
          {(id) => (
            <li class="inline-flex items-center gap-1">
              <Chip text={nameOf(id)} />
              <Button
                size="sm"
                look="quiet"
                icon="close"
                aria-label={`Remove ${nameOf(id)}`}
                onClick={() => props.setDraft('reviewerIds', (ids) => ids.filter((other) => other !== id))}
              />
            </li>
          )}
        </For>
      </ul>
    </div>
  );
}
