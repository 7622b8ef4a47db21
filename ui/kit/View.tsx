/**
 * A place where an answer of the server is shown, in each of the states that it can be in: not there yet, empty because nothing was
 * made yet, empty because a filter left nothing, older than it should be, failed, forbidden. A page says what the first empty one
 * teaches and draws the rest; it never draws a state by itself.
 */
import { ErrorBoundary, Match, Show, Switch, type Accessor, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { failureOf } from '../data/failure.ts';
import { answerOf, type Query } from '../data/rpc.ts';
import { timeOfDay } from '../text/time.ts';
import type { CommandPart } from '../text/shell.ts';
import { Banner } from './Banner.tsx';
import { Button } from './Button.tsx';
import { Command } from './Copy.tsx';
import { FailurePanel } from './FailurePanel.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { Skeleton, type SkeletonKind } from './Skeleton.tsx';

/** What an empty place is for, the one thing to do about it, and the command that does it. */
export type EmptyWords = {
  readonly icon: IconName;
  readonly title: string;
  readonly text: JSX.Element;
  readonly action?: JSX.Element;
  readonly command?: readonly CommandPart[];
};

type ViewProps<T> = {
  readonly query: Query<T>;
  /** A question that must be answered before this one can be asked. */
  readonly after?: Query<unknown>;
  readonly skeleton: SkeletonKind;
  /** True when there is nothing to draw. */
  readonly isEmpty?: (answer: T) => boolean;
  readonly empty?: EmptyWords;
  /** Set while a filter is on: what to say when it left nothing, and how to take it off. */
  readonly filtered?: { readonly what: string; readonly clear: () => void } | undefined;
  /** It stands on the page itself and not in a panel without padding. */
  readonly isBare?: boolean;
  readonly children: (answer: Accessor<T>) => JSX.Element;
};

export function View<T>(props: ViewProps<T>): JSX.Element {
  const answer = (): T | undefined => answerOf(props.query);
  const isEmpty = (): boolean => {
    const there = answer();
    return there !== undefined && (props.isEmpty?.(there) ?? false);
  };
  const retry = (): void => void props.query.refetch();
  return (
    // A fault of ours in one panel must not take the page with it.
    <ErrorBoundary fallback={(fault, reset) => <FailurePanel failure={failureOf(fault)} retry={reset} />}>
      <Show when={props.query.isRefetchError}>
        <Stale since={props.query.dataUpdatedAt} retry={retry} isBare={props.isBare ?? false} />
      </Show>
      <Switch fallback={<Skeleton kind={props.skeleton} />}>
        <Match when={props.query.isLoadingError}>
          <FailurePanel failure={failureOf(props.query.error)} retry={retry} isRetrying={props.query.isFetching} />
        </Match>
        <Match when={props.after?.isLoadingError && props.after}>
          {(first) => (
            <FailurePanel
              failure={failureOf(first().error)}
              retry={() => void first().refetch()}
              isRetrying={first().isFetching}
            />
          )}
        </Match>
        <Match when={isEmpty() && props.filtered}>
          {(filtered) => <EmptyFiltered what={filtered().what} clear={filtered().clear} />}
        </Match>
        <Match when={isEmpty() && props.empty}>{(words) => <Empty {...words()} />}</Match>
        <Match when={answer()}>{(there) => props.children(there)}</Match>
      </Switch>
    </ErrorBoundary>
  );
}

/** Nothing yet: what this place is for and how to begin. */
export function Empty(props: EmptyWords): JSX.Element {
  return (
    <div class="flex flex-col items-center px-6 py-12 text-center">
      <span class="mb-3 grid size-10 place-items-center rounded-lg bg-accent-soft text-accent">
        <Icon name={props.icon} size={20} />
      </span>
      <p class="text-base font-semibold">{props.title}</p>
      <p class="mt-1 max-w-[56ch] text-sm text-soft">{props.text}</p>
      <Show when={props.action}>
        <div class="mt-4">{props.action}</div>
      </Show>
      <Show when={props.command}>
        {(parts) => (
          <div class="mt-4 w-full max-w-lg text-left">
            <Command lines={[parts()]} />
          </div>
        )}
      </Show>
    </div>
  );
}

function EmptyFiltered(props: { readonly what: string; readonly clear: () => void }): JSX.Element {
  return (
    <div class="flex flex-col items-center px-6 py-12 text-center" role="status">
      <p class="text-sm font-medium">{props.what}</p>
      <Button class="mt-3" icon="close" onClick={() => props.clear()}>
        Clear filters
      </Button>
    </div>
  );
}

function Stale(props: { readonly since: number; readonly retry: () => void; readonly isBare: boolean }): JSX.Element {
  const { clock } = useApp();
  return (
    <Banner
      tone="warn"
      role="status"
      class={props.isBare ? 'mb-4' : 'm-3'}
      actions={
        <Button size="sm" icon="refresh" onClick={() => props.retry()}>
          Try again
        </Button>
      }
    >
      This could not be refreshed: it is as of {timeOfDay(clock.atLocal(props.since))}.
    </Banner>
  );
}
