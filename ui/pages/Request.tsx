/** `/access/requests/:id`: one request: who asks for what and why, what approving would give, and the decision or what became of it. */
import { useParams } from '@solidjs/router';
import { createSignal, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useApp, useMay } from '../data/app.ts';
import { answerOf, useCommand, useRpc } from '../data/rpc.ts';
import { Button, LinkButton, TextLink } from '../kit/Button.tsx';
import { Id } from '../kit/Copy.tsx';
import { FormFailure } from '../kit/Dialog.tsx';
import { Facts, Panel } from '../kit/Panel.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Ago, Instant, Left } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { DecisionForm } from '../parts/DecisionForm.tsx';
import { EndGrant } from '../parts/EndGrant.tsx';
import { Groups } from '../parts/Groups.tsx';
import { useMe } from '../parts/me.ts';
import { RequesterHistory } from '../parts/RequesterHistory.tsx';
import { requestStanding, RequestStatus } from '../parts/RequestTable.tsx';
import { RequestTimeline } from '../parts/RequestTimeline.tsx';
import { Page, type CliLine } from '../shell/Page.tsx';
import { auditPath, clusterPath, nameOf } from '../text/paths.ts';
import { visible } from '../text/untrusted.ts';

export function Request(): JSX.Element {
  const params = useParams<{ id: string }>();
  const may = useMay();
  const { clock } = useApp();
  const me = useMe();
  const id = (): string => nameOf(params.id);
  const found = useRpc(AccessService.method.getAccessRequest, () => ({ id: id() }));
  const [ending, setEnding] = createSignal<AccessRequest>();
  const request = (): AccessRequest | undefined => answerOf(found);
  const isOwn = (): boolean => request()?.requesterId === me.id();
  const title = (): string => {
    const there = request();
    return there ? `${there.roleName} on ${there.clusterName}` : 'Request';
  };
  const isRunning = (): boolean => {
    const there = request();
    return there !== undefined && ['Active', 'Starts later'].includes(requestStanding(there, clock.now()).word);
  };
  return (
    <Page
      title={title()}
      parent={{ href: '/access/requests', name: 'Requests' }}
      status={<Show when={request()}>{(there) => <RequestStatus request={there()} />}</Show>}
      actions={
        <Show when={request()}>
          {(there) => (
            <>
              <Show when={may.readAll()}>
                <LinkButton icon="scroll" href={auditPath({ range: 'all', request: there().id })}>
                  Open in audit
                </LinkButton>
              </Show>
              <Show when={isRunning() && (isOwn() || may.administer())}>
                <Button icon="ban" onClick={() => setEnding(there())}>
                  {isOwn() ? 'Give back' : 'Revoke'}
                </Button>
              </Show>
            </>
          )}
        </Show>
      }
      cli={commandsFor(id())}
    >
      <View query={found} isBare skeleton="facts">
        {(there) => (
          <div class="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
            <div class="space-y-4">
              <Asked request={there()} />
              <Show when={there().status === AccessRequestStatus.PENDING}>
                <RequesterHistory request={there()} />
              </Show>
            </div>
            <div class="space-y-4">
              <Decide request={there()} isOwn={isOwn()} />
              <RequestTimeline request={there()} />
            </div>
          </div>
        )}
      </View>
      <EndGrant request={ending()} isOwn={isOwn()} close={() => setEnding(undefined)} />
    </Page>
  );
}

/** What can be done to a request that waits. Another request is another decision: nothing typed for the one may stand under the other. */
function Decide(props: { readonly request: AccessRequest; readonly isOwn: boolean }): JSX.Element {
  const may = useMay();
  return (
    <Show when={props.request.status === AccessRequestStatus.PENDING && props.request.id} keyed>
      <Show
        when={props.isOwn}
        fallback={
          <Show when={may.act()}>
            <DecisionForm request={props.request} />
          </Show>
        }
      >
        <Withdraw request={props.request} />
      </Show>
    </Show>
  );
}

function commandsFor(id: string): readonly CliLine[] {
  return [
    { does: 'Approve it as asked', parts: ['clustral access approve', { value: id }] },
    { does: 'Approve it for another time', parts: ['clustral access approve', { value: id }, '--for 30m'] },
    { does: 'Deny it', parts: ['clustral access deny', { value: id }, '--reason "why"'] },
    { does: 'End it', parts: ['clustral access revoke', { value: id }] },
  ];
}

function Asked(props: { readonly request: AccessRequest }): JSX.Element {
  const isRoleChanged = (): boolean => props.request.currentRoleRevision !== props.request.roleRevision;
  return (
    <Panel title="What is asked for">
      <Facts
        rows={[
          [
            'Who',
            <span class="font-medium">
              <Untrusted text={props.request.requesterName} />
            </span>,
          ],
          [
            'Cluster',
            <TextLink href={clusterPath(props.request.clusterName)}>
              <Untrusted text={props.request.clusterName} />
            </TextLink>,
          ],
          [
            'Role',
            <>
              <span class="font-medium">
                <Untrusted text={props.request.roleName} />
              </span>
              <Show when={isRoleChanged() && props.request.currentRoleRevision > 0n}>
                <span class="ml-2 text-xs text-warn">changed since it was asked for</span>
              </Show>
            </>,
          ],
          [
            'Gives the groups',
            props.request.roleK8sGroups.length > 0 ? <Groups groups={props.request.roleK8sGroups} /> : undefined,
          ],
          ['For', <span class="font-mono text-xs">{props.request.duration}</span>],
          ['Not before', props.request.startsAt ? <Instant at={props.request.startsAt} /> : undefined],
          [
            'Prolongs',
            props.request.extends === '' ? undefined : (
              <TextLink href={`/access/requests/${props.request.extends}`}>an earlier grant</TextLink>
            ),
          ],
          ['Reason', <OrNone text={props.request.reason} none="not given" />],
          [
            'Told',
            props.request.suggestedReviewerEmails.length > 0 ? (
              <Untrusted text={props.request.suggestedReviewerEmails.join(', ')} />
            ) : undefined,
          ],
          ['Asked', <Ago at={props.request.createdAt} />],
          [
            'Decide by',
            props.request.status === AccessRequestStatus.PENDING && props.request.expiresAt ? (
              <Left until={props.request.expiresAt} />
            ) : undefined,
          ],
          ['Id', <Id id={props.request.id} what="request id" />],
        ]}
      />
    </Panel>
  );
}

function Withdraw(props: { readonly request: AccessRequest }): JSX.Element {
  const { notices } = useApp();
  const command = useCommand(AccessService.method.withdrawAccessRequest);
  const withdraw = async (): Promise<void> => {
    if (await command.run({ id: props.request.id }))
      notices.say({ text: `Took the request for ${visible(props.request.roleName)} back.` });
  };
  return (
    <Panel title="Your own request">
      <div class="space-y-3">
        <p class="text-sm text-soft">Somebody else decides it. Nobody approves their own.</p>
        <FormFailure failure={command.failure()} />
        <Button class="w-full" busy={command.isRunning()} onClick={() => void withdraw()}>
          Take it back
        </Button>
      </div>
    </Panel>
  );
}
