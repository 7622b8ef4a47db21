/** The filters of the audit log: those that are used daily in one row, the ones by id as chips once they are set. */
import { createSignal, For, Show, type JSX } from 'solid-js';
import { eventCatalogue } from '@clustral/schemas/events/catalogue.ts';
import type { UrlState } from '../data/url-state.ts';
import { Button, IconButton } from '../kit/Button.tsx';
import { TextField } from '../kit/Field.tsx';
import { Untrusted } from '../kit/Text.tsx';
import {
  type auditShape,
  boundsOf,
  categories,
  filterNames,
  isoOf,
  millisOf,
  rangeOf,
  ranges,
  severities,
  type FilterName,
} from '../text/audit-filter.ts';
import { shortId } from '../text/id.ts';
import { FilterBox, FilterSelect } from './Filter.tsx';
import { choicesOf, useClusters } from './lists.ts';

type FiltersProps = { readonly url: UrlState<typeof auditShape>; readonly now: number };

const codes = Object.entries(eventCatalogue)
  .map(([type, { code }]) => ({ value: code, text: `${code} ${type}` }))
  .toSorted((a, b) => a.text.localeCompare(b.text));

const wordsOfName: Readonly<Partial<Record<FilterName, string>>> = {
  user: 'Who',
  resource: 'About',
  correlation: 'Correlation id',
  request: 'Under request',
};

export function AuditFilters(props: FiltersProps): JSX.Element {
  const clusters = useClusters();
  const state = () => props.url.get();
  const set = (name: FilterName) => (value: string) => props.url.set({ [name]: value || undefined });
  return (
    <div class="space-y-3">
      <div class="flex flex-wrap items-center gap-x-4 gap-y-2.5">
        <FilterBox
          class="w-full sm:w-72"
          label="Words in the event"
          placeholder="Words, all must occur"
          value={state().q ?? ''}
          onValue={(q) => props.url.set({ q: q || undefined }, { replace: true })}
        />
        <FilterSelect
          label="Range"
          value={rangeOf(state())}
          onValue={(range) => setRange(props, range)}
          choices={ranges}
          isSet
        />
        <Pin {...props} />
        <FilterSelect
          label="Category"
          value={state().category ?? ''}
          onValue={set('category')}
          choices={categories.map((value) => ({ value, text: value.replace('_', ' ') }))}
        />
        <FilterSelect
          label="Severity"
          value={state().severity ?? ''}
          onValue={set('severity')}
          choices={severities.map((value) => ({ value, text: value }))}
        />
        <FilterSelect
          label="Cluster"
          value={state().cluster ?? ''}
          onValue={set('cluster')}
          choices={choicesOf(clusters.all())}
        />
        <FilterSelect label="Code" value={state().code ?? ''} onValue={set('code')} choices={codes} />
        <WhoBox value={state().user ?? ''} onValue={set('user')} />
      </div>
      <Show when={rangeOf(state()) === 'custom'}>
        <CustomRange {...props} />
      </Show>
      <Chips {...props} />
    </div>
  );
}

function setRange({ url, now }: FiltersProps, range: string): void {
  if (range !== 'custom') return url.set({ range, from: undefined, to: undefined });
  // From what was shown: a range of one's own begins as the relative one that it replaces.
  const { from } = boundsOf(url.get(), now);
  url.set({ range: undefined, from: isoOf(from ?? now - 3_600_000), to: isoOf(now) });
}

function WhoBox(props: { readonly value: string; readonly onValue: (value: string) => void }): JSX.Element {
  return (
    <label class="flex items-center gap-2 text-xs text-soft">
      Who
      <input
        class="input w-48"
        placeholder="e-mail, user name or id"
        value={props.value}
        onChange={(event) => props.onValue(event.currentTarget.value.trim())}
      />
    </label>
  );
}

function CustomRange(props: FiltersProps): JSX.Element {
  const state = () => props.url.get();
  const problem = (value: string | undefined): string | undefined =>
    value !== undefined && millisOf(value) === undefined ? 'Write it as 2026-11-20T14:05Z.' : undefined;
  return (
    <div class="flex flex-wrap gap-4">
      <For each={['from', 'to'] as const}>
        {(end) => (
          <Bound
            label={end === 'from' ? 'From' : 'To'}
            value={state()[end] ?? ''}
            problem={problem(state()[end])}
            onValue={(value) => props.url.set({ range: undefined, [end]: value || undefined })}
          />
        )}
      </For>
    </div>
  );
}

function Bound(props: {
  readonly label: string;
  readonly value: string;
  readonly problem: string | undefined;
  readonly onValue: (value: string) => void;
}): JSX.Element {
  const [typed, setTyped] = createSignal(props.value);
  return (
    <div class="w-64">
      <TextField
        label={props.label}
        hint="ISO 8601, UTC unless a zone is named"
        value={typed()}
        onValue={setTyped}
        onChange={() => props.onValue(typed().trim())}
        problem={props.problem}
        mono
      />
    </div>
  );
}

/** Writes a relative range as instants, so that the link shows the same later. */
function Pin(props: FiltersProps): JSX.Element {
  const isRelative = (): boolean => !['all', 'custom'].includes(rangeOf(props.url.get()));
  const pin = (): void => {
    const { from, to } = boundsOf(props.url.get(), props.now);
    props.url.set({ range: undefined, from: from === undefined ? undefined : isoOf(from), to: isoOf(to ?? props.now) });
  };
  return (
    <Show when={isRelative()}>
      <Button
        size="sm"
        look="quiet"
        icon="lock"
        onClick={pin}
        title="Write the range as instants, so that the link shows the same later"
      >
        Pin times
      </Button>
    </Show>
  );
}

/** What is set besides the range, each with a way to take it off. */
function Chips(props: FiltersProps): JSX.Element {
  const shown = () =>
    filterNames.filter((name) => wordsOfName[name] !== undefined && props.url.get()[name] !== undefined);
  const isAnySet = (): boolean => filterNames.some((name) => props.url.get()[name] !== undefined);
  return (
    <div class="flex flex-wrap items-center gap-2 empty:hidden">
      <For each={shown()}>
        {(name) => (
          <span class="inline-flex items-center gap-1 rounded-md border border-line bg-surface pl-2 text-xs">
            <span class="text-soft">{wordsOfName[name]}</span>
            <code class="font-mono" title={props.url.get()[name]}>
              <Untrusted text={shortId(props.url.get()[name] ?? '')} />
            </code>
            <IconButton
              size="sm"
              icon="close"
              label={`Remove: ${wordsOfName[name]}`}
              onClick={() => props.url.set({ [name]: undefined })}
            />
          </span>
        )}
      </For>
      <Show when={isAnySet()}>
        <Button
          size="sm"
          look="quiet"
          onClick={() => props.url.set(Object.fromEntries(filterNames.map((name) => [name, undefined])))}
        >
          Clear filters
        </Button>
      </Show>
    </div>
  );
}
