/**
 * Whose turn it is to renew a credential. Terminals, editors and dashboards start kubectl by the dozen: one of the plugins loads the whole tool and asks the
 * server, the others wait here, where waiting costs next to nothing, and answer from what it brought. Nobody depends on it: whoever waits too long, or
 * cannot lock, goes on alone, and `credentials.ts` has a lock of its own.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { answerFromCache, placeOf, type PluginCall } from './credential-cache.ts';
import { CliError } from './failure.ts';
import { withLock } from './lock.ts';

const limitMs = 5_000;
const lookEveryMs = 50;

/** Has `renew` done by one of many. Returns the answer that another one brought; undefined when `renew` ran here, which answers itself. */
export async function renewInTurn(
  call: Omit<PluginCall, 'now'>,
  renew: () => Promise<void>,
): Promise<string | undefined> {
  const place = placeOf(call);
  // For an account that is not there nothing is written, not even a lock.
  if (place === undefined || !existsSync(place.account)) return renew().then(() => undefined);
  const answer = (): string | undefined => answerFromCache({ ...call, now: Date.now() });
  const lock = `${place.credential}.turn`;
  let isMine = false;
  try {
    return await withLock(lock, { limitMs: 0, busy: 'another clustral is renewing this credential' }, async () => {
      isMine = true;
      return answer() ?? (await renew().then(() => undefined));
    });
  } catch (cause) {
    if (isMine || !(cause instanceof CliError)) throw cause;
  }
  // When its turn is over and brought nothing, taking turns would only make the rest wait for each other.
  const deadline = performance.now() + limitMs;
  while (existsSync(lock) && performance.now() < deadline) {
    const found = answer();
    if (found !== undefined) return found;
    await delay(lookEveryMs * (0.5 + Math.random()));
  }
  return answer() ?? (await renew().then(() => undefined));
}
