/** The browser's half of the live layer: locks, the channel between tabs, whether anybody looks. */
import type { LivePage } from './live.ts';

const name = 'clustral.live';

export function browserPage(document: Document): LivePage {
  const channel = new BroadcastChannel(name);
  return {
    isHidden: () => document.hidden,
    onVisibility(listener) {
      document.addEventListener('visibilitychange', listener);
      return () => document.removeEventListener('visibilitychange', listener);
    },
    async exclusively(work, signal) {
      // Only secure contexts have locks; without them each tab listens for itself.
      if (!('locks' in navigator)) return work();
      try {
        await navigator.locks.request(name, { signal }, work);
      } catch (cause) {
        if (!signal.aborted) throw cause;
      }
    },
    channel: {
      post: (message) => channel.postMessage(message),
      listen(heard) {
        const listener = (event: MessageEvent<unknown>): void => heard(event.data);
        channel.addEventListener('message', listener);
        return () => channel.removeEventListener('message', listener);
      },
    },
  };
}
