/** `j` and `k` through the rows of the list on the page; the focus itself walks, so Enter and screen readers work as always. */

/** Moves the focus by one row. Without a focused row it begins at the first. */
export function moveInList(root: ParentNode, step: 1 | -1): void {
  const links = [...root.querySelectorAll<HTMLElement>('main .row-link')];
  const here = links.findIndex((link) => link === document.activeElement);
  const next = links[here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/** Puts the cursor into the page's filter, if it has one. */
export function focusFilter(root: ParentNode): void {
  root.querySelector<HTMLElement>('main [data-filter]')?.focus();
}
