/** `/home`: what I can reach, until when, the command to copy; what I asked for; and what I could ask for. */
import { createSignal, For, Show, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useApp, useMay } from '../data/app.ts';
import { text } from '../data/parameters.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { useUrlState } from '../data/url-state.ts';
import { Banner } from '../kit/Banner.tsx';
import { LinkButton } from '../kit/Button.tsx';
import { Panel } from '../kit/Panel.tsx';
import { View } from '../kit/View.tsx';
import { AccessCard } from '../parts/AccessCard.tsx';
import { AskButton } from '../parts/AskButton.tsx';
import { AskDialog, type AskFor } from '../parts/AskDialog.tsx';
import { EndGrant } from '../parts/EndGrant.tsx';
import { useClusters, useRoles } from '../parts/lists.ts';
import { OtherClusters } from '../parts/OtherClusters.tsx';
import { useMe } from '../parts/me.ts';
import { RequestTable } from '../parts/RequestTable.tsx';
import { Page } from '../shell/Page.tsx';
import { count } from '../text/words.ts';

export function Home(): JSX.Element {
  const { origin } = useApp();
  const me = useMe();
  const url = useUrlState({ ask: text });
  const [asking, setAsking] = createSignal<AskFor>();
  const [ending, setEnding] = createSignal<AccessRequest>();
  const [asked, setAsked] = [() => url.get().ask, () => url.set({ ask: undefined }, { replace: true })];
  const requests = useRpc(
    AccessService.method.listAccessRequests,
    () => ({ requesterId: me.id() ?? '', pageSize: 100 }),
    () => ({ enabled: me.id() !== undefined }),
  );
  const mine = (): readonly AccessRequest[] => answerOf(requests)?.requests ?? [];
  const grantOn = (clusterId: string): AccessRequest | undefined =>
    mine().find((request) => request.clusterId === clusterId && request.status === AccessRequestStatus.APPROVED);
  return (
    <Page
      title="Home"
      lead="What you can reach, and until when."
      actions={<AskButton ask={() => setAsking({})} />}
      cli={[
        { does: 'Sign in', parts: ['clustral login', { value: origin }] },
        { does: 'What you can reach', parts: ['clustral kube list'] },
        { does: 'Write contexts for all of it', parts: ['clustral kube login --all'] },
        {
          does: 'Ask for a role for two hours',
          parts: ['clustral access request <cluster> --role <role> --for 2h --reason "why"'],
        },
      ]}
    >
      <div class="space-y-6">
        <WaitingForMe />
        <Reachable me={me} grantOn={grantOn} ask={setAsking} end={setEnding} />
        <Pending requests={mine().filter(({ status }) => status === AccessRequestStatus.PENDING)} />
        <OtherClusters reached={me.access()} pending={mine()} ask={setAsking} />
      </div>
      <AskDialog
        asking={asking() ?? (asked() === undefined ? undefined : {})}
        close={() => {
          setAsking(undefined);
          if (asked() !== undefined) setAsked();
        }}
      />
      <EndGrant request={ending()} isOwn close={() => setEnding(undefined)} />
    </Page>
  );
}

/** For those who decide: how many wait. Nothing for everybody else. */
function WaitingForMe(): JSX.Element {
  const may = useMay();
  const waiting = useRpc(
    AccessService.method.listAccessRequests,
    () => ({ toDecide: true, pageSize: 100 }),
    () => ({ enabled: may.act() }),
  );
  const amount = (): number => answerOf(waiting)?.requests.length ?? 0;
  return (
    <Show when={amount() > 0}>
      <Banner
        tone="info"
        actions={
          <LinkButton size="sm" href="/access/requests?tab=review">
            Review
          </LinkButton>
        }
      >
        {count(amount(), 'request waits', 'requests wait')} for your decision.
      </Banner>
    </Show>
  );
}

function Pending(props: { readonly requests: readonly AccessRequest[] }): JSX.Element {
  return (
    <Show when={props.requests.length > 0}>
      <Panel title="Waiting for a decision" note={count(props.requests.length, 'request')} flush>
        <RequestTable name="Your pending requests" requests={props.requests} showsWho={false} />
      </Panel>
    </Show>
  );
}

type ReachableProps = {
  readonly me: ReturnType<typeof useMe>;
  readonly grantOn: (clusterId: string) => AccessRequest | undefined;
  readonly ask: (asking: AskFor) => void;
  readonly end: (request: AccessRequest) => void;
};

function Reachable(props: ReachableProps): JSX.Element {
  const clusters = useClusters();
  const roles = useRoles();
  return (
    <section aria-label="Clusters you can reach">
      <View
        query={props.me.query}
        isBare
        skeleton="cards"
        isEmpty={(me) => me.access.length === 0}
        empty={{
          icon: 'key',
          title: 'You have no access yet',
          text: 'Access is given for a role on one cluster: by an administrator for good, or for a while when you ask and somebody agrees.',
          action: <AskButton ask={() => props.ask({})} />,
          command: ['clustral access request <cluster> --role <role> --for 1h'],
        }}
      >
        {(me) => (
          <ul class="grid grid-cols-[minmax(0,1fr)] gap-4 sm:grid-cols-2 xl:grid-cols-3">
            <For each={me().access}>
              {(access) => (
                <AccessCard
                  access={access}
                  cluster={clusters.all().find(({ id }) => id === access.clusterId)}
                  role={roles.all().find(({ id }) => id === access.roleId)}
                  grant={props.grantOn(access.clusterId)}
                  ask={props.ask}
                  end={props.end}
                />
              )}
            </For>
          </ul>
        )}
      </View>
    </section>
  );
}
