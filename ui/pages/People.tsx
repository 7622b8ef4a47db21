/** `/people`: everybody who has signed in: who they are here and in Kubernetes, and when they came last. */
import { A } from '@solidjs/router';
import { Show, type JSX } from 'solid-js';
import { UserService, type User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { text } from '../data/parameters.ts';
import { useRpcPages } from '../data/rpc.ts';
import { useUrlState } from '../data/url-state.ts';
import { Panel } from '../kit/Panel.tsx';
import { Chip, Status } from '../kit/Status.tsx';
import { Table, type Column } from '../kit/Table.tsx';
import { OrNone, Untrusted } from '../kit/Text.tsx';
import { Ago } from '../kit/Time.tsx';
import { View } from '../kit/View.tsx';
import { FilterBox } from '../parts/Filter.tsx';
import { MoreRows } from '../parts/More.tsx';
import { Page } from '../shell/Page.tsx';
import { personPath } from '../text/paths.ts';
import { count } from '../text/words.ts';

export function People(): JSX.Element {
  const url = useUrlState({ q: text });
  const pages = useRpcPages(UserService.method.listUsers, () => ({ pageSize: 200 }));
  const matching = (users: readonly User[]): readonly User[] => {
    const q = url.get().q?.toLowerCase();
    return q === undefined ? users : users.filter((user) => wordsOf(user).toLowerCase().includes(q));
  };
  return (
    <Page
      title="People"
      lead="Everybody who has signed in. The identity provider says who they are; roles on clusters are given here."
      cli={[
        { does: 'This list', parts: ['clustral users list -o wide'] },
        { does: 'Standing roles of one person', parts: ['clustral assignments list <user>'] },
      ]}
    >
      <Panel flush>
        <div class="border-b border-line px-4 py-3">
          <FilterBox
            label="Filter people"
            value={url.get().q ?? ''}
            onValue={(q) => url.set({ q: q || undefined }, { replace: true })}
          />
        </div>
        <View
          query={pages.query}
          skeleton="rows"
          isEmpty={(fetched) => matching(fetched.flatMap(({ users }) => users)).length === 0}
          filtered={
            url.get().q === undefined
              ? undefined
              : {
                  what: `Nobody matches '${url.get().q}' among those fetched so far.`,
                  clear: () => url.set({ q: undefined }),
                }
          }
          empty={{
            icon: 'people',
            title: 'Nobody has signed in yet',
            text: 'People appear here with their first sign-in. They need not be created.',
            command: ['clustral login'],
          }}
        >
          {(fetched) => {
            const users = () => matching(fetched().flatMap((page) => page.users));
            return (
              <>
                <Table name="People" items={users()} keyOf={({ id }) => id} columns={columns} />
                <MoreRows pages={pages} shown={count(users().length, 'person', 'people')} />
              </>
            );
          }}
        </View>
      </Panel>
    </Page>
  );
}

const wordsOf = ({ email, name, preferredUsername, kubernetesName, roles }: User): string =>
  [email, name, preferredUsername, kubernetesName, ...roles].join(' ');

/** What a person is called: the name, else the address, else the user name. */
export const nameOfPerson = (user: User): string => user.name || user.email || user.preferredUsername || user.subject;

const columns: readonly Column<User>[] = [
  {
    head: 'Person',
    cell: (user) => (
      <>
        <A class="row-link font-medium" href={personPath(user().id)}>
          <Untrusted text={nameOfPerson(user())} />
        </A>
        <Show when={user().email !== '' && user().email !== nameOfPerson(user())}>
          <div class="text-xs text-soft">
            <Untrusted text={user().email} />
          </div>
        </Show>
      </>
    ),
  },
  {
    head: 'State',
    cell: (user) => (
      <Status
        {...(user().disabled ? { word: 'Disabled', tone: 'bad' as const } : { word: 'Enabled', tone: 'ok' as const })}
      />
    ),
  },
  {
    head: 'Roles in Clustral',
    cell: (user) => (
      <span class="inline-flex flex-wrap gap-1">
        {user().roles.map((role) => (
          <Chip text={role} tone={role === 'clustral-admin' ? 'warn' : 'quiet'} />
        ))}
      </span>
    ),
  },
  {
    head: 'Name in Kubernetes',
    cell: (user) => (
      <span class="font-mono text-xs">
        <OrNone text={user().kubernetesName} none="may not be used" />
      </span>
    ),
  },
  {
    head: 'Last sign-in',
    cell: (user) => (
      <span class="text-soft">
        <Ago at={user().lastSignInAt} />
      </span>
    ),
  },
];
