/**
 * What the gateway refused on the kubectl path, told to the control plane so that it stands in the audit (D31): in batches,
 * at most 1.5 s later, with a token that is good for nothing else. No request ever waits for it. The queue is bounded; what
 * does not fit is counted, and the count is told too, so that the log can say that something is missing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@clustral/kernel/log.ts';
import { pathOf } from './routes.ts';

/** One refusal. `requestId` is made here: a batch that is sent again leaves no second record (D28). */
export type ReportedRefusal = {
  readonly requestId: string;
  /** ISO 8601. */
  readonly at: string;
  readonly clusterId: string | null;
  readonly credentialId: string | null;
  readonly errorCode: string;
  readonly status: number;
  readonly method: string;
  /** Path and query, cut to 1,024 characters, values that are tokens removed. */
  readonly path: string;
  readonly sourceAddress: string;
  readonly userAgent: string | null;
  readonly correlationId: string;
};

/** Body of `POST /internal/v1/refusals`. `lost` refusals since the last batch that arrived did not fit the queue. */
export type RefusalBatch = { readonly refusals: readonly ReportedRefusal[]; readonly lost: number };

export const refusalsPath = '/internal/v1/refusals';

export type RefusalReporter = {
  /** Takes a refusal; it never fails and never waits. */
  report(refusal: ReportedRefusal): void;
  /** Sends what is left, once, and ends. */
  stop(): Promise<void>;
};

export type RefusalReporterOptions = {
  /** Hands a batch over. `false` = the control plane will never take it; rejects when it may not have arrived. */
  readonly send: (batch: RefusalBatch) => Promise<boolean>;
  readonly log: Log;
  /** How long refusals are gathered before a batch leaves, in milliseconds; 500 when unset. */
  readonly gatherMs?: number;
};

const mostQueued = 1_000;
const mostInBatch = 200;
const usualGatherMs = 500;
const longestBackOffMs = 10_000;

/** A reporter that sends by `send`, one batch at a time. */
export function createRefusalReporter({
  send,
  log,
  gatherMs = usualGatherMs,
}: RefusalReporterOptions): RefusalReporter {
  const queue: ReportedRefusal[] = [];
  const stopped = new AbortController();
  let lost = 0;
  let working: Promise<void> | undefined;

  const sendOne = async (): Promise<void> => {
    const batch = { refusals: queue.slice(0, mostInBatch), lost };
    const taken = await send(batch);
    queue.splice(0, batch.refusals.length);
    if (taken) lost -= batch.lost;
    else lost += batch.refusals.length;
  };
  const work = async (): Promise<void> => {
    let failures = 0;
    await sleep(gatherMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    while ((queue.length > 0 || lost > 0) && !stopped.signal.aborted) {
      try {
        await sendOne();
        failures = 0;
      } catch (cause) {
        failures += 1;
        log.warn({ err: cause, queued: queue.length, lost }, 'refusals could not be reported to the control plane yet');
        const backOffMs = Math.random() * Math.min(longestBackOffMs, gatherMs * 2 ** failures);
        await sleep(backOffMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      }
    }
  };
  const ensureWorking = (): void => {
    working ??= work().finally(() => {
      working = undefined;
      // Something may have come between the last look at the queue and here.
      if (queue.length > 0 && !stopped.signal.aborted) ensureWorking();
    });
  };
  return {
    report(refusal) {
      // While a batch is on its way its refusals stay queued, so what is cut is always the newest.
      if (queue.length < mostQueued) queue.push(refusal);
      else lost += 1;
      ensureWorking();
    },
    async stop() {
      stopped.abort();
      await working;
      if (queue.length === 0 && lost === 0) return;
      await sendOne().catch((cause: unknown) => {
        log.warn({ err: cause, queued: queue.length, lost }, 'refusals were not reported before the stop');
      });
    },
  };
}

const secretParameters = /^(?:access_?token|id_?token|refresh_?token|token|code|password|secret|authorization)$/i;

/** A request target as it may be stored and logged: values of parameters that may be secrets removed, at most 1,024 characters. */
export function printableTarget(target: string): string {
  const path = pathOf(target);
  const query = target.slice(path.length + 1);
  const shown = query
    .split('&')
    .map((pair) => {
      const [name = ''] = pair.split('=', 1);
      return secretParameters.test(decoded(name)) ? `${name}=[removed]` : pair;
    })
    .join('&');
  return (target.length > path.length ? `${path}?${shown}` : path).slice(0, 1_024);
}

function decoded(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
