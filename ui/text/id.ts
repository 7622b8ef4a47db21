/** Ids as people read and paste them. */
import { isUuid } from '@clustral/schemas/ids.ts';

/** Beginning and end of an id: `01937b2c…9f3a`. Short ones stay whole. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** A pasted id in its canonical form, or nothing when the text is not one. */
export function pastedId(text: string): string | undefined {
  const trimmed = text.trim();
  return isUuid(trimmed) ? trimmed.toLowerCase() : undefined;
}
