/**
 * Lists as tables that become cards where there is no room. Rows do not move while somebody is at them: new ones wait behind a
 * line that says how many. The first cell of a row leads to what it is about; the whole row can be pressed.
 */
import { createMemo, createSignal, For, Show, type Accessor, type JSX } from 'solid-js';
import { calmOrder } from '../data/calm-order.ts';
import { count } from '../text/words.ts';

export type Column<T> = {
  readonly head: string;
  readonly cell: (item: Accessor<T>) => JSX.Element;
  /** Numbers and acts stand at the end. */
  readonly atEnd?: boolean;
  /** On a card it stands above the rest, as the first column always does. */
  readonly isLead?: boolean;
  /** Left out where the item has nothing to say, on cards only. */
  readonly isEmpty?: (item: T) => boolean;
};

type TableProps<T> = {
  /** What the table is, for those who do not see it. */
  readonly name: string;
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly columns: readonly Column<T>[];
  readonly selected?: string | undefined;
};

export function Table<T>(props: TableProps<T>): JSX.Element {
  const [isBusy, setBusy] = createSignal(false);
  const byKey = createMemo(() => new Map(props.items.map((item) => [props.keyOf(item), item])));
  const calm = createMemo<ReturnType<typeof calmOrder>>(
    (before) => calmOrder(before.shown, [...byKey().keys()], isBusy()),
    { shown: [], waiting: 0 },
  );
  return (
    <div
      class="data-table-box"
      onPointerEnter={() => setBusy(true)}
      onPointerLeave={() => setBusy(false)}
      onFocusIn={() => setBusy(true)}
      onFocusOut={() => setBusy(false)}
    >
      <Show when={calm().waiting > 0}>
        <button
          type="button"
          class="w-full border-b border-line bg-accent-soft py-1.5 text-xs font-medium text-accent"
          onClick={() => setBusy(false)}
        >
          {count(calm().waiting, 'new row')}: show
        </button>
      </Show>
      {/* Cards are made by display, which takes the meaning of table elements away: the roles give it back. */}
      <table class="data-table" role="table" aria-label={props.name} aria-rowcount={props.items.length + 1}>
        <thead role="rowgroup">
          <tr role="row">
            <For each={props.columns}>
              {(column) => (
                <th role="columnheader" scope="col" class={column.atEnd ? 'end' : ''}>
                  {column.head === '' ? <span class="sr-only">Actions</span> : column.head}
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody role="rowgroup">
          <For each={calm().shown}>{(key) => <Row table={props} itemKey={key} item={() => byKey().get(key)} />}</For>
        </tbody>
      </table>
    </div>
  );
}

function Row<T>(props: {
  readonly table: TableProps<T>;
  readonly itemKey: string;
  readonly item: Accessor<T | undefined>;
}): JSX.Element {
  return (
    <Show when={props.item()}>
      {(item) => (
        <tr role="row" data-selected={props.table.selected === props.itemKey ? '' : undefined}>
          <For each={props.table.columns}>
            {(column, index) => (
              <td
                role="cell"
                data-head={column.head}
                data-lead={index() === 0 || column.isLead ? '' : undefined}
                data-empty={column.isEmpty?.(item()) ? '' : undefined}
                class={column.atEnd ? 'end' : ''}
              >
                {column.cell(item)}
              </td>
            )}
          </For>
        </tr>
      )}
    </Show>
  );
}
