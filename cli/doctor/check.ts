/**
 * Checks and how they are run: all at once as far as they do not need each other, each with a deadline, none able to stop another. What needs a check that
 * failed is skipped and says because of which one.
 */
import { CliError, failureOf } from '../failure.ts';
import { networkFailure } from '../network-failure.ts';
import { visible } from '../text.ts';

export type Status = 'ok' | 'warn' | 'fail' | 'skipped';

/** What a check found: one line, and for anything but good news what to do. */
export type Finding = { readonly status: Status; readonly what: string; readonly fix?: string };

export type Check = {
  readonly name: string;
  /** Names of checks, standing before this one, that must not have failed. */
  readonly needs: readonly string[];
  /** Findings, at least one. What it throws is a failure. The signal says that nobody waits any more. */
  readonly run: (signal: AbortSignal) => Promise<Finding | readonly Finding[]>;
};

/** A finding under the name of its check, as `-o json` has it. */
export type Result = {
  readonly check: string;
  readonly status: Status;
  readonly message: string;
  readonly fix?: string;
};

export const ok = (what: string): Finding => ({ status: 'ok', what });
export const warn = (what: string, fix: string): Finding => ({ status: 'warn', what, fix });
export const fail = (what: string, fix: string): Finding => ({ status: 'fail', what, fix });
export const skipped = (what: string): Finding => ({ status: 'skipped', what });

/** Runs the checks; each may take `limitMs`. Results in the order of the checks. */
export async function runChecks(checks: readonly Check[], limitMs: number): Promise<readonly Result[]> {
  const found = new Map<string, Promise<readonly Finding[]>>();
  for (const check of checks) found.set(check.name, findingsOf(check, limitMs, found));
  const results = await Promise.all(
    checks.map(async ({ name }) => ((await found.get(name)) ?? []).map((finding) => resultOf(name, finding))),
  );
  return results.flat();
}

/** The same answer for everybody who asks; it is looked for once, and when somebody asks. */
export function once<T>(look: () => Promise<T>): () => Promise<T> {
  let looked: Promise<T> | undefined;
  return () => (looked ??= look());
}

async function findingsOf(
  check: Check,
  limitMs: number,
  others: ReadonlyMap<string, Promise<readonly Finding[]>>,
): Promise<readonly Finding[]> {
  for (const name of check.needs) {
    const findings = (await others.get(name)) ?? [];
    const broken = findings.find(({ status }) => status === 'fail' || status === 'skipped');
    if (broken === undefined) continue;
    // The first cause is what somebody can do something about.
    return [skipped(broken.status === 'fail' ? `because '${name}' failed` : broken.what)];
  }
  const stop = new AbortController();
  const late = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(() => {
    stop.abort();
    late.resolve([fail(`no answer within ${limitMs / 1000} s`, 'check your network connection, then try again')]);
  }, limitMs);
  const found = check.run(stop.signal).then(
    (findings) => [findings].flat(),
    (cause: unknown) => [failureIn(cause)],
  );
  try {
    return await Promise.race([found, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function failureIn(cause: unknown): Finding {
  const failure = cause instanceof CliError ? failureOf(cause) : networkFailure(cause);
  if (failure !== undefined) return fail(failure.what, failure.fix ?? 'ask the operator');
  return fail(
    cause instanceof Error ? cause.message : String(cause),
    'run it again with --debug and report what it prints',
  );
}

const resultOf = (check: string, { status, what, fix }: Finding): Result => ({
  check,
  status,
  message: visible(what),
  ...(fix === undefined || status === 'ok' ? {} : { fix: visible(fix) }),
});
