/**
 * Says explicitly what a fact that ends much has ended (D32): one fact per assignment, request and credential, by the
 * same deciders as a person's command, with the ending fact as its cause. Access does not depend on it: the fold and
 * the deciders know at once. It looks at the fold anew each time, so a crash or a lost answer costs nothing but time.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { evolveAccess, initialAccess } from './domain/access.ts';
import { evolveCredential, initialCredential } from './domain/credential.ts';
import { endedUnsaid, type Ended } from './endings.ts';
import type { PolicyQueries } from './policy.ts';
import type { Cause, Commands } from './ports.ts';

const mostBackoffMs = 30_000;
const stopMs = 500;

/**
 * Facts after which something may be ended: what ends much, and what was given while its ground was being taken away.
 */
const triggers: ReadonlySet<string> = new Set([
  'role.deleted',
  'cluster.deleted',
  'user.disabled',
  'user.role_assigned',
  'access_request.created',
  'access_request.approved',
  'credential.issued',
]);

export type ReactorOptions = {
  readonly commands: Commands;
  readonly policy: PolicyQueries;
  readonly log: Log;
  readonly now: () => Date;
};

/** Starts with what an earlier process left unsaid. */
export function startReactor(options: ReactorOptions): Running {
  const stopped = new AbortController();
  let wake = Promise.withResolvers<void>();
  wake.resolve();
  const stopListening = options.policy.onFact(({ type }: Recorded) => {
    if (triggers.has(type)) wake.resolve();
  });
  const working = (async () => {
    while (!stopped.signal.aborted) {
      await wake.promise;
      wake = Promise.withResolvers<void>();
      await sayAll(options, stopped.signal);
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

/** One pass over what is unsaid; what the log refused to take is looked for again, later and later. */
async function sayAll(options: ReactorOptions, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const unsaid = endedUnsaid(options.policy, options.now());
    if (unsaid.length === 0) return;
    try {
      for (const ended of unsaid) {
        if (signal.aborted) return;
        await say(options, ended);
      }
      return;
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      failures += 1;
      options.log.warn({ reason: cause.message, unsaid: unsaid.length }, 'what was ended could not be recorded yet');
      await sleep(Math.random() * Math.min(mostBackoffMs, 200 * 2 ** failures), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }
}

async function say({ commands, policy }: ReactorOptions, ended: Ended): Promise<void> {
  const ending = policy.ending(ended.endedBy);
  const cause: Cause = {
    actor: { kind: 'service', id: 'control-plane' },
    $correlationId: ending?.correlationId ?? randomUUID(),
    ...(ending === undefined ? {} : { $causationId: ending.factId }),
  };
  const { stream } = ended;
  if (ended.of === 'access')
    await commands.run({ stream, cause, initial: initialAccess, evolve: evolveAccess, decide: ended.decide });
  else
    await commands.run({ stream, cause, initial: initialCredential, evolve: evolveCredential, decide: ended.decide });
}
