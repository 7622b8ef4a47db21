/** Whether a media query holds, for what cannot be said in CSS alone. */
import { createSignal, onCleanup, type Accessor } from 'solid-js';

export function useWide(query: string): Accessor<boolean> {
  const list = matchMedia(query);
  const [holds, setHolds] = createSignal(list.matches);
  const change = (): void => void setHolds(list.matches);
  list.addEventListener('change', change);
  onCleanup(() => list.removeEventListener('change', change));
  return holds;
}
