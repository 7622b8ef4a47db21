/**
 * Says explicitly what has ended: what a fact that ends much took with it (D32), and requests and grants that ran out
 * (JT-11). One fact per assignment, request and credential, by the same deciders as a person's command, with the fact
 * that ended it or that it began with as its cause, from which its id follows. Access does not depend on it: the fold
 * and the deciders know at once. What is unsaid is looked for in the fold, so a crash or a lost answer costs nothing but
 * time.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { Backlog } from './backlog.ts';
import { evolveAccess, initialAccess, type AccessState } from './domain/access.ts';
import { evolveCredential, initialCredential, type CredentialState } from './domain/credential.ts';
import { nextRunsOut, type Ended } from './endings.ts';
import type { PolicyQueries } from './policy.ts';
import type { Cause, Commands } from './ports.ts';

const mostBackoffMs = 30_000;
const stopMs = 500;
/** How long it sleeps at most: a wall clock that was set is noticed by then, and no timer overflows. */
const mostSleepMs = 10_000;

export type ReactorOptions = {
  readonly commands: Commands;
  readonly policy: PolicyQueries;
  readonly log: Log;
  readonly now: () => Date;
};

/** Starts with what an earlier process left unsaid. */
export function startReactor(options: ReactorOptions): Running {
  const stopped = new AbortController();
  const backlog = new Backlog();
  let wake = Promise.withResolvers<void>();
  wake.resolve();
  const stopListening = options.policy.onFact((fact) => {
    if (backlog.note(fact)) wake.resolve();
  });
  const working = (async () => {
    let lookedAt = options.now();
    while (!stopped.signal.aborted) {
      const timer = setTimeout(wake.resolve, sleepMs(options, lookedAt));
      await wake.promise;
      clearTimeout(timer);
      wake = Promise.withResolvers<void>();
      lookedAt = options.now();
      await sayAll(options, backlog, stopped.signal);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      stopListening();
      wake.resolve();
      // What is under way when the log is away is found again at the next start.
      await Promise.race([working, sleep(stopMs)]);
    },
  };
}

/** How long until something runs out that had not when it looked last; saying what had may have taken a while. */
function sleepMs({ policy, now }: ReactorOptions, lookedAt: Date): number {
  const at = now();
  const next = nextRunsOut(policy, lookedAt < at ? lookedAt : at);
  return next === undefined ? mostSleepMs : Math.min(mostSleepMs, Math.max(0, next.getTime() - at.getTime()));
}

/** One pass over what is unsaid; what the log refused to take is looked for again, later and later. */
async function sayAll(options: ReactorOptions, backlog: Backlog, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const unsaid = backlog.take(options.policy, options.now());
    try {
      for (const ended of unsaid) {
        if (signal.aborted) return;
        await say(options, ended);
      }
      return;
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      backlog.all();
      failures += 1;
      options.log.warn({ reason: cause.message, unsaid: unsaid.length }, 'what was ended could not be recorded yet');
      await sleep(Math.random() * Math.min(mostBackoffMs, 200 * 2 ** failures), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }
}

async function say({ commands, now }: ReactorOptions, ended: Ended): Promise<void> {
  const { stream } = ended;
  const cause: Cause = {
    actor: { kind: 'service', id: 'control-plane' },
    $correlationId: ended.cause?.correlationId ?? randomUUID(),
    ...(ended.cause === undefined ? {} : { $causationId: ended.cause.factId }),
  };
  if (ended.of === 'access') {
    const decide = (state: AccessState) => ended.decide(state, now());
    await commands.run({ stream, cause, initial: initialAccess, evolve: evolveAccess, decide });
  } else {
    const decide = (state: CredentialState) => ended.decide(state, now());
    await commands.run({ stream, cause, initial: initialCredential, evolve: evolveCredential, decide });
  }
}
