/** Labels as a person types them, one `key=value` in a line. */

export type ReadLabels = { readonly labels: Readonly<Record<string, string>> } | { readonly problem: string };

export function labelsOf(text: string): ReadLabels {
  const labels = new Map<string, string>();
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    if (at < 1) return { problem: `'${line}' is not a label: write key=value.` };
    const key = line.slice(0, at).trim();
    if (labels.has(key)) return { problem: `The label '${key}' is there twice.` };
    labels.set(key, line.slice(at + 1).trim());
  }
  return { labels: Object.fromEntries(labels) };
}

/** The labels as a person would have typed them. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted((a, b) => a.localeCompare(b))
    .join('\n');
}

export type LabelChange = { readonly labels: Record<string, string>; readonly removeLabels: string[] };

/** What must be set and what taken away to come from one to the other. */
export function labelChange(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): LabelChange {
  return {
    labels: Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value)),
    removeLabels: Object.keys(before).filter((key) => !Object.hasOwn(after, key)),
  };
}
