/** `/access/grants`: access that runs now or begins later, the one that ends soonest first, each with a way to end it. */
import { createSignal, type JSX } from 'solid-js';
import { AccessRequestStatus, AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useApp, useMay } from '../data/app.ts';
import { answerOf, useRpc } from '../data/rpc.ts';
import { Button, LinkButton } from '../kit/Button.tsx';
import { Panel } from '../kit/Panel.tsx';
import { millis } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { EndGrant } from '../parts/EndGrant.tsx';
import { useMe } from '../parts/me.ts';
import { RequestTable, requestStanding } from '../parts/RequestTable.tsx';
import { Page } from '../shell/Page.tsx';
import { count } from '../text/words.ts';

export function Grants(): JSX.Element {
  const { clock } = useApp();
  const may = useMay();
  const me = useMe();
  const [ending, setEnding] = createSignal<AccessRequest>();
  const approved = useRpc(AccessService.method.listAccessRequests, () => ({
    status: AccessRequestStatus.APPROVED,
    pageSize: 200,
  }));
  const running = (): readonly AccessRequest[] =>
    (answerOf(approved)?.requests ?? [])
      .filter((request) => requestStanding(request, clock.now()).word !== 'Ended')
      .toSorted((a, b) => endOf(a) - endOf(b));
  const isOwn = (request: AccessRequest): boolean => request.requesterId === me.id();
  return (
    <Page
      title="Grants"
      lead="Access on request that runs now, the one that ends soonest first."
      cli={[
        { does: 'Active grants', parts: ['clustral access list --status approved'] },
        { does: 'End one', parts: ['clustral access revoke <request>'] },
      ]}
    >
      <Panel title="Active" note={count(running().length, 'grant')} flush>
        <View
          query={approved}
          skeleton="rows"
          isEmpty={() => running().length === 0}
          empty={{
            icon: 'clock',
            title: may.readAll() ? 'Nobody has access on request' : 'You have no access on request',
            text: 'A grant begins when a request is approved and ends by itself. Standing roles are not shown here.',
            action: <LinkButton href="/access/requests">Requests</LinkButton>,
          }}
        >
          {() => (
            <RequestTable
              name="Active grants"
              requests={running()}
              showsWho={may.readAll()}
              acts={(request) =>
                may.administer() || isOwn(request()) ? (
                  <Button class="above-row-link" size="sm" onClick={() => setEnding(request())}>
                    {isOwn(request()) ? 'Give back' : 'Revoke'}
                  </Button>
                ) : undefined
              }
            />
          )}
        </View>
      </Panel>
      <EndGrant
        request={ending()}
        isOwn={ending() !== undefined && ending()?.requesterId === me.id()}
        close={() => setEnding(undefined)}
      />
    </Page>
  );
}

const endOf = ({ grantExpiresAt }: AccessRequest): number =>
  grantExpiresAt ? millis(grantExpiresAt) : Number.MAX_SAFE_INTEGER;
