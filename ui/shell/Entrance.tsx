/** What stands before the frame: nothing for a moment, the way in for those who are not signed in, or why nothing answers. */
import { useLocation } from '@solidjs/router';
import { Match, Switch, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { signInAddress } from '../data/session.ts';
import { Button } from '../kit/Button.tsx';
import { Command } from '../kit/Copy.tsx';
import { Mark } from './Mark.tsx';

export function Entrance(props: { readonly children: JSX.Element }): JSX.Element {
  const { session } = useApp();
  return (
    <Switch>
      <Match when={session.state().status === 'signed-in'}>{props.children}</Match>
      <Match when={session.state().status === 'signed-out'}>
        <SignIn />
      </Match>
      <Match when={session.state().status === 'unreachable'}>
        <Card title="Clustral does not answer">
          <p class="text-sm text-soft">
            The page is here, the server behind it is not. It may be starting; kubectl and the command line tool meet
            the same server.
          </p>
          <Button look="primary" class="mt-5 w-full" icon="refresh" onClick={() => void session.refresh()}>
            Try again
          </Button>
        </Card>
      </Match>
    </Switch>
  );
}

function SignIn(): JSX.Element {
  const { origin } = useApp();
  const location = useLocation();
  const returnTo = (): string => (location.pathname === '/' ? '/home' : location.pathname + location.search);
  return (
    <Card title="Sign in to Clustral">
      <p class="text-sm text-soft">
        Short-lived, audited access to Kubernetes clusters. You sign in at your organisation's own identity provider.
      </p>
      <a
        href={signInAddress(returnTo())}
        rel="external"
        class="mt-5 flex h-9 items-center justify-center rounded-md bg-accent text-sm font-medium text-on-accent hover:bg-accent-strong"
      >
        Sign in
      </a>
      <div class="mt-6 border-t border-line pt-4">
        <p class="mb-2 text-xs text-soft">In a terminal</p>
        <Command lines={[['clustral login', { value: origin }]]} />
      </div>
    </Card>
  );
}

function Card(props: { readonly title: string; readonly children: JSX.Element }): JSX.Element {
  return (
    <main class="grid min-h-dvh grid-cols-[minmax(0,1fr)] place-items-center p-4">
      <div class="w-full max-w-sm rounded-xl border border-line bg-surface p-6 shadow-card">
        <Mark size={32} />
        <h1 class="mt-4 mb-1 text-xl font-semibold tracking-tight">{props.title}</h1>
        {props.children}
      </div>
    </main>
  );
}
