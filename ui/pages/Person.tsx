/** `/people/:person`: one person: what they hold for good, what they hold now, what they asked for, and keeping them out. */
import { useParams } from '@solidjs/router';
import { Show, type JSX } from 'solid-js';
import { UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { useMay } from '../data/app.ts';
import { answerOf, useRpc, type Query } from '../data/rpc.ts';
import { LinkButton } from '../kit/Button.tsx';
import { Id } from '../kit/Copy.tsx';
import { Facts, Panel } from '../kit/Panel.tsx';
import { Chip, Status } from '../kit/Status.tsx';
import { OrNone } from '../kit/Text.tsx';
import { Instant } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { Assignments } from '../parts/Assignments.tsx';
import { Credentials } from '../parts/Credentials.tsx';
import { KeepOut } from '../parts/KeepOut.tsx';
import { PersonRequests } from '../parts/PersonRequests.tsx';
import { RecentEvents } from '../parts/RecentEvents.tsx';
import { Page } from '../shell/Page.tsx';
import { auditPath, nameOf } from '../text/paths.ts';
import { nameOfPerson } from './People.tsx';

const most = 200;

export function Person(): JSX.Element {
  const params = useParams<{ person: string }>();
  const may = useMay();
  // There is no question for one person; the list is short and usually there already.
  const users = useRpc(UserService.method.listUsers, () => ({ pageSize: most })) as Query<{ readonly users: User[] }>;
  const user = (): User | undefined => answerOf(users)?.users.find(({ id }) => id === nameOf(params.person));
  return (
    <Page
      title={user() ? nameOfPerson(user() as User) : 'Person'}
      parent={{ href: '/people', name: 'People' }}
      status={
        <Show when={user()?.disabled}>
          <Status word="Disabled" tone="bad" />
        </Show>
      }
      actions={
        <Show when={user()}>
          {(there) => (
            <LinkButton icon="scroll" href={auditPath({ user: there().id })}>
              Open in audit
            </LinkButton>
          )}
        </Show>
      }
      cli={[
        { does: 'Standing roles', parts: ['clustral assignments list', { value: user()?.email || '<user>' }] },
        {
          does: 'Give a role',
          parts: ['clustral assignments add', { value: user()?.email || '<user>' }, '<cluster> <role>'],
        },
        { does: 'What they did', parts: ['clustral audit --user', { value: user()?.email || '<user>' }] },
      ]}
    >
      <View
        query={users}
        isBare
        skeleton="facts"
        isEmpty={() => user() === undefined}
        empty={{
          icon: 'people',
          title: 'Nobody with this id',
          text: `They may never have signed in, or stand beyond the first ${most} people.`,
          action: <LinkButton href="/people">Everybody</LinkButton>,
        }}
      >
        {() => (
          <Show when={user()}>
            {(there) => (
              <div class="space-y-4">
                <Panel title="Who">
                  <Identity user={there()} />
                </Panel>
                <Assignments user={there()} mayChange={may.administer()} />
                <Credentials user={there()} mayRevoke={may.administer()} />
                <PersonRequests user={there()} />
                <RecentEvents
                  title="Latest events"
                  filter={{ user: there().id }}
                  all={auditPath({ user: there().id })}
                />
                <Show when={may.administer()}>
                  <KeepOut user={there()} />
                </Show>
              </div>
            )}
          </Show>
        )}
      </View>
    </Page>
  );
}

function Identity(props: { readonly user: User }): JSX.Element {
  return (
    <Facts
      rows={[
        ['E-mail', <OrNone text={props.user.email} />],
        ['User name', <OrNone text={props.user.preferredUsername} />],
        [
          'In Kubernetes',
          <span class="font-mono text-xs">
            <OrNone text={props.user.kubernetesName} none="no name may be used" />
          </span>,
        ],
        [
          'Roles in Clustral',
          <span class="inline-flex flex-wrap gap-1">
            {props.user.roles.map((role) => (
              <Chip text={role} tone={role === 'clustral-admin' ? 'warn' : 'quiet'} />
            ))}
          </span>,
        ],
        ['Last sign-in', <Instant at={props.user.lastSignInAt} />],
        [
          'Issuer',
          <span class="font-mono text-xs">
            <OrNone text={props.user.issuer} />
          </span>,
        ],
        ['Subject', <Id id={props.user.subject} what="subject" />],
        ['Id', <Id id={props.user.id} what="person's id" />],
      ]}
    />
  );
}
