/**
 * The end of a session: told two minutes ahead, with a way to stay that loses nothing (WCAG 2.2.1), and told once it has come. The
 * sign-in happens in another tab, so a form that is half filled in here stays as it is.
 */
import { Show, createEffect, onCleanup, onMount, type JSX } from 'solid-js';
import { useApp, usePerson } from '../data/app.ts';
import { signInAddress } from '../data/session.ts';
import { span } from '../text/time.ts';

const warnMs = 120_000;

export function SessionEnd(): JSX.Element {
  const { session, clock } = useApp();
  const person = usePerson();
  const leftMs = (): number => Date.parse(person().expiresAt) - clock.now();
  const isOver = (): boolean => session.hasEnded() || leftMs() <= 0;
  const isNear = (): boolean => isOver() || leftMs() < warnMs;
  onMount(() => {
    // Whoever comes back from signing in elsewhere, or from a night's sleep, is asked for anew.
    const look = (): void => void (document.hidden || !isNear() || session.refresh());
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    onCleanup(() => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
    });
  });
  // A server that lengthens a session that is used has a later end to tell.
  createEffect((wasNear: boolean) => {
    if (isNear() && !wasNear && !isOver()) void session.refresh();
    return isNear();
  }, false);
  return (
    <Show when={isNear()}>
      <div
        role="alert"
        class="fixed inset-x-4 bottom-4 z-50 mx-auto flex max-w-xl animate-in flex-wrap items-center gap-3 rounded-lg bg-raised p-4 text-sm shadow-pop forced-border"
      >
        <p class="min-w-0 flex-1">
          <strong class="font-semibold">{isOver() ? 'Your session has ended.' : 'Your session ends soon.'}</strong>{' '}
          <span class="text-soft">
            What is on this page stays as it is.
            {/* Not in the live region: a countdown there would speak each second. */}
            <Show when={!isOver()}>
              <span aria-hidden="true"> {span(leftMs())} left.</span>
            </Show>
          </span>
        </p>
        <a
          href={signInAddress('/signed-in')}
          target="_blank"
          rel="noreferrer"
          class="inline-flex h-8 items-center rounded-md bg-accent px-3 font-medium text-on-accent hover:bg-accent-strong"
        >
          Sign in again
        </a>
      </div>
    </Show>
  );
}
