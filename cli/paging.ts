/** Lists that come in pages, and the flag that says how many are wanted. */
import { CliError, exitCodes } from './failure.ts';

/** Items of a paged list, at most `limit`, and the token of what follows (empty at the end). */
export async function collect<T>(
  limit: number,
  page: (pageToken: string, pageSize: number) => Promise<{ items: readonly T[]; next: string }>,
): Promise<{ items: readonly T[]; next: string }> {
  const items: T[] = [];
  let next = '';
  do {
    const answer = await page(next, Math.min(largestPage, limit - items.length));
    items.push(...answer.items);
    // A server that names the same page for ever shall not keep us.
    next = answer.items.length === 0 ? '' : answer.next;
  } while (next !== '' && items.length < limit);
  return { items: items.slice(0, limit), next };
}

const largestPage = 200;

/** The whole number of a flag. Throws a usage error outside of the range. */
export function wholeNumber(flag: string, text: string, range: readonly [min: number, max: number]): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < range[0] || number > range[1])
    throw new CliError(
      exitCodes.usage,
      `${flag} must be a whole number from ${range[0]} to ${range[1]}`,
      `${flag} 100`,
    );
  return number;
}
