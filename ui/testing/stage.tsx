/** Draws a page as the browser would, with a fake server behind it and the clock standing still; looks at it with axe. */
import '../app.css';
import { createMemoryHistory, MemoryRouter } from '@solidjs/router';
import { QueryClientProvider } from '@tanstack/solid-query';
import axe from 'axe-core';
import { createSignal } from 'solid-js';
import { render } from 'solid-js/web';
import { expect } from 'vitest';
import { page } from 'vitest/browser';
import type { Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { AppContext, type App } from '../data/app.ts';
import type { LiveState } from '../data/live-state.ts';
import { createPreferences, type Theme } from '../data/preferences.ts';
import { createQueryClient, allQueries } from '../data/rpc.ts';
import type { Person } from '../data/session.ts';
import { createNotices } from '../kit/notices.ts';
import { routes } from '../routes.tsx';
import { Entrance } from '../shell/Entrance.tsx';
import { Frame } from '../shell/Frame.tsx';
import { createKeys } from '../shell/keys.ts';
import { fakeServer, type FakeServer, type Mood } from './fake-server.ts';
import * as samples from './samples.ts';

export type Stage = {
  readonly server: FakeServer;
  readonly app: App;
  /** Asks the server again for all that is shown. */
  readonly refresh: () => Promise<void>;
  /** Says something about the live layer. */
  readonly setLive: (state: LiveState) => void;
  readonly path: () => string;
  readonly leave: () => void;
};

export type Setting = {
  readonly path: string;
  readonly who?: Me;
  readonly mood?: Mood;
  readonly isSignedOut?: boolean;
  readonly expiresInMs?: number;
};

/** The page on an otherwise empty document. Call `leave` when done. */
export function enter({
  path,
  who = samples.meOfAlice,
  mood = 'full',
  isSignedOut = false,
  expiresInMs = 3_600_000,
}: Setting): Stage {
  const server = fakeServer(who);
  server.mood = mood;
  const preferences = createPreferences(undefined, document.documentElement);
  const [live, setLive] = createSignal<LiveState>({ status: 'current', mode: 'watch', heardAt: samples.now });
  const queryClient = createQueryClient(() => 0);
  const notices = createNotices(() => samples.now);
  const person = personOf(who, expiresInMs);
  const app: App = {
    transport: server.transport,
    preferences,
    notices,
    clock: { now: () => samples.now, learn: () => undefined, atLocal: () => samples.now, stop: () => undefined },
    keys: createKeys(window, preferences.singleKeys.get),
    visit: { pages: 0 },
    origin: 'https://clustral.corp.example',
    live: { state: live, auditNews: () => 0, start: () => undefined, stop: () => undefined },
    session: {
      state: () => (isSignedOut ? { status: 'signed-out' } : { status: 'signed-in', person }),
      hasEnded: () => false,
      markEnded: () => undefined,
      refresh: () => Promise.resolve(),
      signOut: () => Promise.resolve(),
    },
  };
  const history = createMemoryHistory();
  history.set({ value: path });
  const root = document.createElement('div');
  document.body.replaceChildren(root);
  document.documentElement.lang = 'en';
  const dispose = render(
    () => (
      <AppContext.Provider value={app}>
        <QueryClientProvider client={queryClient}>
          <MemoryRouter
            history={history}
            root={(props) => (
              <Entrance>
                <Frame>{props.children}</Frame>
              </Entrance>
            )}
          >
            {routes}
          </MemoryRouter>
        </QueryClientProvider>
      </AppContext.Provider>
    ),
    root,
  );
  return {
    server,
    app,
    refresh: () => queryClient.refetchQueries({ queryKey: allQueries }),
    setLive,
    path: () => history.get(),
    leave() {
      dispose();
      app.keys.stop();
      queryClient.clear();
      document.body.replaceChildren();
    },
  };
}

function personOf({ user }: Me, expiresInMs: number): Person {
  return {
    user: { id: user?.id ?? '', email: user?.email ?? '', displayName: user?.name ?? '' },
    roles: user?.roles ?? [],
    isAdmin: user?.roles.includes('clustral-admin') ?? false,
    isAuditor: user?.roles.includes('clustral-auditor') ?? false,
    expiresAt: new Date(samples.now + expiresInMs).toISOString(),
  };
}

/** Waits until the text is on the page. */
export async function shows(text: string | RegExp): Promise<void> {
  await expect.poll(() => document.body.innerText, { timeout: 5_000 }).toMatch(text);
}

const widths = [320, 768, 1280] as const;
const themes: readonly Theme[] = ['light', 'dark'];

/** Runs axe in both themes at each width. Throws with every violation and the element it is about. */
export async function isAccessible(stage: Stage, at: readonly number[] = widths): Promise<void> {
  for (const width of at) {
    await page.viewport(width, 900);
    for (const theme of themes) {
      stage.app.preferences.theme.set(theme);
      await settled();
      const found = await axe.run(document, {
        // With a dialog open the page behind it is hidden, and with it its landmark and heading.
        rules: isDialogOpen()
          ? { 'landmark-one-main': { enabled: false }, 'page-has-heading-one': { enabled: false } }
          : {},
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      const told = found.violations.flatMap(({ id, nodes }) =>
        nodes.map(
          ({ html, failureSummary }) => `${id} (${theme}, ${width} px): ${html.slice(0, 200)} ${failureSummary}`,
        ),
      );
      expect(told).toEqual([]);
      expect(
        document.documentElement.scrollWidth,
        `scrolls sideways at ${width} px: ${widest(width)}`,
      ).toBeLessThanOrEqual(width);
    }
  }
}

/** Elements that stick out, for whoever must find out why. */
const widest = (width: number): string =>
  [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && one.closest('.data-table-box, pre') === null)
    .map((one) => `${one.tagName}.${one.getAttribute('class')?.slice(0, 80)}`)
    .slice(0, 6)
    .join(' | ');

const isDialogOpen = (): boolean => document.querySelector('[role="dialog"][data-state="open"]') !== null;

/** Styles follow a change of theme or width with the next frames, what opens because of it a little later. */
async function settled(): Promise<void> {
  for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
}

/** Keeps a picture of the page under `.e2e/ui`, which git ignores. */
export async function picture(
  stage: Stage,
  name: string,
  { width = 1280, theme = 'light' }: { readonly width?: number; readonly theme?: Theme } = {},
): Promise<void> {
  stage.app.preferences.theme.set(theme);
  await page.viewport(width, 900);
  await settled();
  // The whole page, not the part that a window of this height would show.
  await page.viewport(width, Math.max(width === 320 ? 640 : 800, document.documentElement.scrollHeight));
  await settled();
  await page.screenshot({ path: `${import.meta.env['SCREENSHOTS']}/${name}.png` });
}
