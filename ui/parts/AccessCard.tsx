/** One cluster that a person can reach: as whom, by what right, until when, and the command that gets them in. */
import { A } from '@solidjs/router';
import { Show, type JSX } from 'solid-js';
import type { AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { ClusterStatus, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import type { Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import { ClusterAccessSource, type Access } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useApp } from '../data/app.ts';
import { Button } from '../kit/Button.tsx';
import { Command } from '../kit/Copy.tsx';
import { Icon } from '../kit/Icon.tsx';
import { Untrusted } from '../kit/Text.tsx';
import { Left, millis } from '../kit/Time.tsx';
import { clusterPath, requestPath } from '../text/paths.ts';
import { untilWhen } from '../text/time.ts';
import { ClusterStatusBadge } from './ClusterStatus.tsx';
import { Groups } from './Groups.tsx';
import type { AskFor } from './AskDialog.tsx';

type CardProps = {
  readonly access: Access;
  readonly cluster: Cluster | undefined;
  readonly role: Role | undefined;
  readonly grant: AccessRequest | undefined;
  readonly ask: (asking: AskFor) => void;
  readonly end: (request: AccessRequest) => void;
};

export function AccessCard(props: CardProps): JSX.Element {
  return (
    <li class="flex flex-col rounded-lg border border-line bg-surface shadow-card">
      <div class="flex items-center gap-2 px-4 pt-3.5">
        <A
          href={clusterPath(props.access.clusterName)}
          class="min-w-0 text-lg leading-6 font-semibold tracking-tight hover:underline [overflow-wrap:anywhere]"
        >
          <Untrusted text={props.access.clusterName} />
        </A>
        <span class="ml-auto">
          <ClusterStatusBadge status={props.cluster?.status ?? ClusterStatus.UNSPECIFIED} />
        </span>
      </div>
      <dl class="grid flex-1 grid-cols-[auto_minmax(0,1fr)] content-start gap-x-4 gap-y-1.5 px-4 pt-3 pb-3.5 text-sm">
        <dt class="text-soft">Role</dt>
        <dd class="flex flex-wrap items-baseline gap-x-2 gap-y-1">
          <span class="font-medium">
            <Untrusted text={props.access.roleName} />
          </span>
          <Show when={props.role}>{(role) => <Groups groups={role().k8sGroups} most={3} />}</Show>
        </dd>
        <dt class="text-soft">Until</dt>
        <dd>
          <Ends access={props.access} grant={props.grant} />
        </dd>
      </dl>
      <div class="border-t border-line p-2.5">
        <Command
          lines={[['clustral kube login', { value: props.access.clusterName }]]}
          what={`Command for ${props.access.clusterName}`}
        />
        <Show when={isGrant(props.access) && props.grant}>
          {(grant) => (
            <div class="mt-2 flex gap-2">
              <Button
                size="sm"
                icon="clock"
                onClick={() =>
                  props.ask({ clusterId: props.access.clusterId, roleId: props.access.roleId, extendsId: grant().id })
                }
              >
                More time
              </Button>
              <Button size="sm" look="quiet" onClick={() => props.end(grant())}>
                Give back
              </Button>
            </div>
          )}
        </Show>
      </div>
    </li>
  );
}

const isGrant = ({ source }: Access): boolean => source === ClusterAccessSource.GRANT;

/** `Standing`, or `18:02 · 41m left` with a line that runs out. */
function Ends(props: { readonly access: Access; readonly grant: AccessRequest | undefined }): JSX.Element {
  const { clock } = useApp();
  return (
    <Show
      when={props.access.until}
      fallback={
        <span class="inline-flex items-center gap-1.5">
          <Icon name="role" size={14} class="text-soft" />
          Standing role, no end
        </span>
      }
    >
      {(until) => (
        <>
          <span class="tabular-nums">{untilWhen(millis(until()), clock.now())}</span>
          <span class="text-faint"> · </span>
          <Left until={until()} />
          <Show when={props.grant}>
            {(grant) => (
              <A
                href={requestPath(grant().id)}
                class="mt-2 block"
                aria-label={`The grant for ${props.access.clusterName}`}
              >
                <Remaining grant={grant()} until={millis(until())} />
              </A>
            )}
          </Show>
        </>
      )}
    </Show>
  );
}

/** How much of a grant is left, as a line; the words beside it say the same. */
function Remaining(props: { readonly grant: AccessRequest; readonly until: number }): JSX.Element {
  const { clock } = useApp();
  const share = (): number => {
    const from = props.grant.grantStartsAt ? millis(props.grant.grantStartsAt) : props.until;
    const whole = props.until - from;
    return whole <= 0 ? 0 : Math.min(1, Math.max(0, (props.until - clock.now()) / whole));
  };
  return (
    <svg
      viewBox="0 0 100 3"
      preserveAspectRatio="none"
      class="block h-1 w-full rounded-full forced-border"
      aria-hidden="true"
    >
      <rect width="100" height="3" fill="var(--color-line)" />
      <rect width={share() * 100} height="3" fill={share() < 0.15 ? 'var(--color-warn)' : 'var(--color-accent)'} />
    </svg>
  );
}
