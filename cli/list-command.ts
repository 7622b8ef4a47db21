/** The bases of commands that print a list: with which heads, how many, and what is said when there is more. */
import { Option } from 'clipanion';
import { flag } from './command-table.ts';
import { ClustralCommand } from './command.ts';
import { printList, type Listing } from './output.ts';
import { wholeNumber } from './paging.ts';

const mostRows = 100_000;

export abstract class ListCommand extends ClustralCommand {
  noHeaders: boolean = Option.Boolean('--no-headers', false, flag('', 'leave out the line of heads'));

  protected printRows<T>(listing: Omit<Listing<T>, 'format' | 'heads'>): Promise<void> {
    return printList(this.context, { ...listing, format: this.format, heads: !this.noHeaders });
  }
}

/** A list that comes in pages. */
export abstract class PagedCommand extends ListCommand {
  limit: string = Option.String('--limit', '100', flag('N', 'how many at most, 100 by default'));

  protected get limitNumber(): number {
    return wholeNumber('--limit', this.limit, [1, mostRows]);
  }

  /** Says that there is more when `next` is not empty; `total` is how many in all when that is known. */
  protected sayWhatIsLeft({ shown, next, total }: { shown: number; next: string; total?: string }): void {
    if (next === '') return;
    const of = total === undefined ? '' : ` of ${total}`;
    this.say(`showing ${shown}${of}, there are more: --limit ${Math.min(shown * 10, mostRows)}`);
  }
}
