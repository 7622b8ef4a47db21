/** The mark of the product. */
import type { JSX } from 'solid-js';

export function Mark(props: { readonly size?: number }): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width={props.size ?? 22} height={props.size ?? 22} aria-hidden="true" class="shrink-0">
      <rect width="32" height="32" rx="7" fill="var(--color-accent)" />
      <g fill="none" stroke="var(--color-on-accent)" stroke-width="2.6" stroke-linecap="round">
        <path d="M21.5 11.2a7.6 7.6 0 1 0 0 9.6" />
        <path d="M16 16h9" />
      </g>
      <circle cx="16" cy="16" r="2.4" fill="var(--color-on-accent)" />
    </svg>
  );
}
