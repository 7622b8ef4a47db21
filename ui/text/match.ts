/** How well a few typed letters match a name: all of them in order, better where words begin and where they stand together. */

/** Higher is better; undefined when the letters do not all occur in order. An empty query matches everything alike. */
export function matchScore(query: string, name: string): number | undefined {
  const wanted = query.toLowerCase().replaceAll(/\s+/g, '');
  const text = name.toLowerCase();
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const found = text.indexOf(letter, at + 1);
    if (found < 0) return undefined;
    const startsWord = found === 0 || /[\s\-_./:@]/.test(text[found - 1] ?? '');
    if (at >= 0 && found === at + 1) score += 6;
    if (startsWord) score += 3;
    score -= Math.min(found - at - 1, 8) * 0.25;
    at = found;
  }
  // Of two that match alike the shorter one is meant.
  return score - text.length * 0.01;
}

/** The best matches first, at most `limit`; those that match alike stay in their order. */
export function bestMatches<T>(
  items: readonly T[],
  query: string,
  options: { nameOf: (item: T) => string; limit: number },
): readonly T[] {
  return items
    .flatMap((item) => {
      const score = matchScore(query, options.nameOf(item));
      return score === undefined ? [] : [{ item, score: query.trim() === '' ? 0 : score }];
    })
    .toSorted((a, b) => b.score - a.score)
    .slice(0, options.limit)
    .map(({ item }) => item);
}
