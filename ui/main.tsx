/** Builds the dashboard and draws it. The only file with a side effect on import. */
import './app.css';
import { Router } from '@solidjs/router';
import { createClient } from '@connectrpc/connect';
import { QueryClientProvider } from '@tanstack/solid-query';
import { render } from 'solid-js/web';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { AppContext, type App } from './data/app.ts';
import { serviceOf, servicesChangedBy } from './data/changes.ts';
import { createClock } from './data/clock.ts';
import { browserPage } from './data/live-page.ts';
import { createLive } from './data/live.ts';
import { createPosition } from './data/position.ts';
import { createPreferences } from './data/preferences.ts';
import { allQueries, createQueryClient } from './data/rpc.ts';
import { createSession } from './data/session.ts';
import { createTransport } from './data/transport.ts';
import { watchOf } from './data/watch.ts';
import { createNotices } from './kit/notices.ts';
import { routes } from './routes.tsx';
import { Entrance } from './shell/Entrance.tsx';
import { Frame } from './shell/Frame.tsx';
import { createKeys } from './shell/keys.ts';

const preferences = createPreferences(storage(), document.documentElement);
const clock = createClock(() => Date.now());
const session = createSession({
  fetch: (path, init) => fetch(path, init),
  leave: (address) => location.assign(address),
});
const position = createPosition();
const transport = createTransport({ position, learnTime: clock.learn, sessionEnded: session.markEnded });
const queryClient = createQueryClient(Math.random);
const system = createClient(SystemService, transport);

const app: App = {
  transport,
  session,
  clock,
  preferences,
  notices: createNotices(() => clock.now()),
  keys: createKeys(window, preferences.singleKeys.get),
  visit: { pages: 0 },
  origin: location.origin,
  live: createLive({
    watch: watchOf(transport, position),
    poll: async (signal) => void (await system.getVersion({}, { signal })),
    onNews(kinds) {
      const changed = servicesChangedBy(kinds);
      void queryClient.invalidateQueries(
        { queryKey: allQueries, predicate: ({ queryKey }) => changed.has(serviceOf(queryKey) ?? '') },
        // What is on its way when the stream begins will be answered after it; after a change it must be asked again.
        { cancelRefetch: !kinds.includes('started') },
      );
    },
    now: () => clock.now(),
    random: Math.random,
    page: browserPage(document),
  }),
};

const root = document.getElementById('app');
if (!root) throw new Error('index.html has no element #app');
await session.refresh();
root.replaceChildren();
render(
  () => (
    <AppContext.Provider value={app}>
      <QueryClientProvider client={queryClient}>
        <Router
          root={(props) => (
            <Entrance>
              <Frame>{props.children}</Frame>
            </Entrance>
          )}
        >
          {routes}
        </Router>
      </QueryClientProvider>
    </AppContext.Provider>
  ),
  root,
);

// Reading `localStorage` throws where it is forbidden.
function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
