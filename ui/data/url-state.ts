/** What a page shows, kept in its address: a link to it shows the same to the next person, and going back undoes a filter. */
import { useSearchParams } from '@solidjs/router';
import { stateOf, type Shape, type StateOf } from './parameters.ts';

export type UrlState<S extends Shape> = {
  /** Reactive. */
  readonly get: () => StateOf<S>;
  /** Changes some parameters; undefined takes one out. `replace` leaves no step to go back to. */
  readonly set: (
    change: { readonly [K in keyof S]?: string | undefined },
    options?: { readonly replace?: boolean },
  ) => void;
};

export function useUrlState<S extends Shape>(shape: S): UrlState<S> {
  const [query, setQuery] = useSearchParams();
  return {
    get: () => stateOf(shape, query),
    set: (change, { replace = false } = {}) =>
      setQuery(change as Record<string, string | undefined>, { replace, scroll: false }),
  };
}
