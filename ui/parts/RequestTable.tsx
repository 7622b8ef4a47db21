/** Requests and grants in rows. */
import { A } from '@solidjs/router';
import { Show, type Accessor, type JSX } from 'solid-js';
import { AccessRequestStatus, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { useApp } from '../data/app.ts';
import { Status } from '../kit/Status.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Ago, Left, millis } from '../kit/Time.tsx';
import { requestPath } from '../text/paths.ts';
import { requestWord, type StatusWord } from '../text/words.ts';

/** How a request stands now: a grant that has not begun or has just run out is told as what it is. */
export function requestStanding(request: AccessRequest, now: number): StatusWord {
  if (request.status !== AccessRequestStatus.APPROVED) return requestWord(request.status);
  if (request.grantStartsAt && millis(request.grantStartsAt) > now) return { word: 'Starts later', tone: 'info' };
  if (request.grantExpiresAt && millis(request.grantExpiresAt) <= now) return { word: 'Ended', tone: 'quiet' };
  return requestWord(request.status);
}

export function RequestStatus(props: { readonly request: AccessRequest }): JSX.Element {
  const { clock } = useApp();
  return <Status {...requestStanding(props.request, clock.now())} />;
}

type RequestTableProps = {
  readonly name: string;
  readonly requests: readonly AccessRequest[];
  /** Whether they are of different people. */
  readonly showsWho: boolean;
  readonly acts?: (request: Accessor<AccessRequest>) => JSX.Element;
};

export function RequestTable(props: RequestTableProps): JSX.Element {
  const what: Column<AccessRequest> = {
    head: 'Request',
    cell: (request) => (
      <A href={requestPath(request().id)} class="row-link font-medium">
        <Untrusted text={request().roleName} /> <span class="font-normal text-soft">on</span>{' '}
        <Untrusted text={request().clusterName} />
      </A>
    ),
  };
  const columns: readonly Column<AccessRequest>[] = [
    what,
    ...(props.showsWho
      ? [{ head: 'Who', cell: (request: Accessor<AccessRequest>) => <Untrusted text={request().requesterName} /> }]
      : []),
    { head: 'Status', cell: (request) => <RequestStatus request={request()} /> },
    { head: 'For', cell: (request) => <span class="font-mono text-xs">{request().duration}</span> },
    {
      head: 'Reason',
      cell: (request) => (
        <span class="line-clamp-2 max-w-[36ch] text-soft">
          <OrNone text={request().reason} none="not given" />
        </span>
      ),
    },
    { head: 'Asked', cell: (request) => <When request={request()} /> },
    ...(props.acts ? [{ head: '', atEnd: true, cell: props.acts }] : []),
  ];
  return <Table name={props.name} items={props.requests} keyOf={({ id }) => id} columns={columns} />;
}

function When(props: { readonly request: AccessRequest }): JSX.Element {
  const { clock } = useApp();
  const isRunning = (): boolean => requestStanding(props.request, clock.now()).word === 'Active';
  return (
    <span class="text-soft">
      <Show when={isRunning() && props.request.grantExpiresAt} fallback={<Ago at={props.request.createdAt} />}>
        {(until) => <Left until={until()} />}
      </Show>
    </span>
  );
}
