/** Asking for a role on a cluster for a while. What the role gives stands there before it is asked for. */
import { createEffect, createMemo, createSignal, Show, type JSX } from 'solid-js';
import { createStore } from 'solid-js/store';
import { AccessService } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import type { Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { useApp } from '../data/app.ts';
import { useCommand } from '../data/rpc.ts';
import { Button } from '../kit/Button.tsx';
import { Dialog, FormFailure } from '../kit/Dialog.tsx';
import { AreaField, SelectField, TextField } from '../kit/Field.tsx';
import { Icon } from '../kit/Icon.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { requestPath } from '../text/paths.ts';
import { visible } from '../text/untrusted.ts';
import { askMessage, emptyAsk, type Ask } from './ask.ts';
import { DurationField, durationProblem } from './DurationField.tsx';
import { Groups } from './Groups.tsx';
import { choicesOf, useClusters, useRoles } from './lists.ts';

export type AskFor = { readonly clusterId?: string; readonly roleId?: string; readonly extendsId?: string };

type AskProps = { readonly asking: AskFor | undefined; readonly close: () => void };

const fields = ['clusterId', 'roleId', 'duration', 'reason', 'suggestedReviewerEmails', 'startsAt', 'extends'] as const;

export function AskDialog(props: AskProps): JSX.Element {
  return (
    <Dialog
      isOpen={props.asking !== undefined}
      close={props.close}
      title={props.asking?.extendsId ? 'Ask for more time' : 'Ask for access'}
      lead="Somebody else decides. Until then nothing changes."
    >
      <Show when={props.asking}>{(asking) => <AskForm asking={asking()} close={props.close} />}</Show>
    </Dialog>
  );
}

function AskForm(props: { readonly asking: AskFor; readonly close: () => void }): JSX.Element {
  const { notices } = useApp();
  const clusters = useClusters();
  const roles = useRoles();
  const command = useCommand(AccessService.method.requestAccess);
  const [ask, setAsk] = createStore<{ -readonly [K in keyof Ask]: Ask[K] }>({ ...emptyAsk, ...props.asking });
  const role = createMemo(() => roles.all().find(({ id }) => id === ask.roleId));
  // The only choice there is need not be made.
  createEffect(() => {
    const [only, ...others] = roles.all();
    if (only && others.length === 0 && ask.roleId === '') setAsk('roleId', only.id);
  });
  const problemOf = (field: (typeof fields)[number]): string | undefined => {
    const failure = command.failure();
    return failure?.field === field ? failure.message : undefined;
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const made = await command.run(askMessage(ask));
    if (!made) return;
    const what = `Asked for ${visible(made.roleName)} on ${visible(made.clusterName)}: it waits for a decision.`;
    notices.say({ text: what, href: requestPath(made.id) });
    props.close();
  };
  return (
    <form class="space-y-4" onSubmit={(event) => void submit(event)} novalidate>
      <WhereAndWhat ask={ask} setAsk={setAsk} problemOf={problemOf} clusters={clusters.all()} roles={roles.all()} />
      <Show when={role()}>{(chosen) => <WhatItGives role={chosen()} />}</Show>
      <DurationField
        label="For how long"
        value={ask.duration}
        onValue={(value) => setAsk('duration', value)}
        hint="The clock starts when it is approved, not now."
        problem={problemOf('duration')}
      />
      <AreaField
        label="Why"
        value={ask.reason}
        onValue={(value) => setAsk('reason', value)}
        rows={2}
        maxlength={1_000}
        placeholder="What you are about to do, and the ticket"
        isOptional={!role()?.review?.reasonRequired}
        problem={problemOf('reason')}
      />
      <More ask={ask} setAsk={setAsk} problemOf={problemOf} isExtending={ask.extendsId !== ''} />
      <FormFailure failure={command.failure()} fields={fields} />
      <div class="flex justify-end gap-2">
        <Button onClick={() => props.close()}>Cancel</Button>
        <Button
          look="primary"
          type="submit"
          busy={command.isRunning()}
          disabled={ask.clusterId === '' || ask.roleId === '' || durationProblem(ask.duration) !== undefined}
        >
          Ask
        </Button>
      </div>
    </form>
  );
}

type WhereProps = {
  readonly ask: Ask;
  readonly setAsk: (key: 'clusterId' | 'roleId', value: string) => void;
  readonly problemOf: (field: 'clusterId' | 'roleId') => string | undefined;
  readonly clusters: readonly Cluster[];
  readonly roles: readonly Role[];
};

/** The cluster and the role. More time is asked for the same again, so there is nothing to choose then. */
function WhereAndWhat(props: WhereProps): JSX.Element {
  const isOffered = (id: string, chosen: string): boolean => props.ask.extendsId === '' || id === chosen;
  return (
    <>
      <SelectField
        label="Cluster"
        value={props.ask.clusterId}
        onValue={(value) => props.setAsk('clusterId', value)}
        choices={choicesOf(props.clusters.filter(({ id }) => isOffered(id, props.ask.clusterId)))}
        none="Choose a cluster"
        problem={props.problemOf('clusterId')}
      />
      <SelectField
        label="Role"
        value={props.ask.roleId}
        onValue={(value) => props.setAsk('roleId', value)}
        choices={choicesOf(props.roles.filter(({ id }) => isOffered(id, props.ask.roleId)))}
        none="Choose a role"
        problem={props.problemOf('roleId')}
      />
    </>
  );
}

type MoreProps = {
  readonly ask: Ask;
  readonly setAsk: (key: 'startsAt' | 'reviewers', value: string) => void;
  readonly problemOf: (field: 'startsAt' | 'suggestedReviewerEmails') => string | undefined;
  readonly isExtending: boolean;
};

/** What few people need; it opens by itself when the server found something wrong in it. */
function More(props: MoreProps): JSX.Element {
  const [wasOpened, setOpened] = createSignal(false);
  const isOpen = (): boolean =>
    wasOpened() ||
    props.problemOf('startsAt') !== undefined ||
    props.problemOf('suggestedReviewerEmails') !== undefined;
  return (
    <details open={isOpen()} onToggle={(event) => setOpened(event.currentTarget.open)} class="group text-sm">
      <summary class="inline-flex min-h-6 items-center gap-1 text-soft hover:text-ink">
        <Icon name="right" size={14} class="transition-transform group-open:rotate-90" />
        A later start, people to tell
      </summary>
      <div class="mt-3 space-y-4">
        <Show when={!props.isExtending}>
          <TextField
            label="Not before"
            type="datetime-local"
            value={props.ask.startsAt}
            onValue={(value) => props.setAsk('startsAt', value)}
            hint="In your own time zone, at most 30 days ahead. Empty: as soon as it is approved."
            problem={props.problemOf('startsAt')}
            isOptional
          />
        </Show>
        <TextField
          label="Tell these people"
          value={props.ask.reviewers}
          onValue={(value) => props.setAsk('reviewers', value)}
          hint="E-mail addresses. They are told; it gives nobody a right."
          problem={props.problemOf('suggestedReviewerEmails')}
          isOptional
        />
      </div>
    </details>
  );
}

function WhatItGives(props: { readonly role: Role }): JSX.Element {
  const review = () => props.role.review;
  return (
    <div class="space-y-1.5 rounded-md border border-line bg-sunken px-3 py-2 text-sm">
      <Show when={props.role.description !== ''}>
        <p class="text-soft">
          <Untrusted text={props.role.description} />
        </p>
      </Show>
      <p class="flex flex-wrap items-baseline gap-1.5">
        <span class="text-xs text-soft">Kubernetes groups</span>
        <Groups groups={props.role.k8sGroups} />
      </p>
      <Show when={review()}>
        {(rules) => (
          <p class="text-xs text-soft">
            {rules().approvals > 1 ? `${rules().approvals} people must approve. ` : ''}
            {rules().maxDuration === '' ? '' : `At most ${rules().maxDuration}. `}
            {rules().ticketForms.length === 0
              ? ''
              : `Name a ticket such as ${rules().ticketForms.map(visible).join(' or ')}.`}
          </p>
        )}
      </Show>
    </div>
  );
}
