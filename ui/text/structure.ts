/** Nested data as lines of path and value, for reading. */

const most = 200;

/** `{ a: { b: [1] } }` → `['a.b.0', '1']`. At most 200 lines; what is left out is said in the last one. */
export function linesOfValue(value: unknown): readonly (readonly [path: string, value: string])[] {
  const lines: [string, string][] = [];
  const rest = collect(value, '', lines);
  return rest === 0 ? lines : [...lines, ['…', `${rest} more`]];
}

function collect(value: unknown, path: string, lines: [string, string][]): number {
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    return Object.entries(value).reduce(
      (rest, [key, inner]) => rest + collect(inner, path === '' ? key : `${path}.${key}`, lines),
      0,
    );
  }
  if (path === '') return 0;
  if (lines.length >= most) return 1;
  lines.push([path, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]);
  return 0;
}
