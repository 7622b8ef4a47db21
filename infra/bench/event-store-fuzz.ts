/**
 * Long rounds of what the tests of the embedded event store do briefly: flipped bits in its files, calls that no client would
 * make, and regular expressions against the clock. `node infra/bench/event-store-fuzz.ts [seconds] [seed]`; the time is shared
 * by the three, 180 s by default. It ends with 1 at the first finding and prints what repeats it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Pattern } from '../embedded/event-store/filters/pattern.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import { judge, makeSpecimen, type Specimen } from '../embedded/event-store/testing/flipped-bits.ts';
import { hostileCalls, makeCall, openSession } from '../embedded/event-store/testing/hostile-calls.ts';

const [seconds = '180', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
const share = (Number(seconds) * 1_000) / 3;
const base = mkdtempSync(join(tmpdir(), 'fuzz-'));

console.log(`seed ${seed}, ${seconds} s`);
try {
  await flipBits(share);
  await hostile(share);
  expressions(share);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  rmSync(base, { recursive: true });
}

/** fast-check stops by itself when the time is over, and fails with what repeats a finding. */
function limits(milliseconds: number): fc.Parameters<unknown> {
  return { numRuns: 10_000_000, interruptAfterTimeLimit: milliseconds, seed: Number(seed), endOnFailure: true };
}

async function flipBits(milliseconds: number): Promise<void> {
  const specimens: readonly Specimen[] = [
    await makeSpecimen(join(base, 'killed'), 'killed'),
    await makeSpecimen(join(base, 'stopped'), 'stopped'),
  ];
  const counts = { refused: 0, unharmed: 0 };
  const flips = fc.constantFrom(...specimens).chain((specimen) =>
    fc.constantFrom(...specimen.files).chain(({ name, bytes }) =>
      fc.record({
        specimen: fc.constant(specimen),
        name: fc.constant(name),
        offset: fc.integer({ min: 0, max: bytes - 1 }),
        bit: fc.integer({ min: 0, max: 7 }),
      }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.noShrink(flips), async ({ specimen, ...flip }) => {
      counts[await judge(specimen, flip, join(base, 'work'))] += 1;
    }),
    limits(milliseconds),
  );
  console.log(`flipped bits: ${counts.refused} refused with file and byte, ${counts.unharmed} harmed nothing`);
}

async function hostile(milliseconds: number): Promise<void> {
  const socketPath = join(base, 'es.sock');
  const store = await startEventStore({ folder: join(base, 'log'), socketPath });
  const ended: string[] = [];
  void store.exited.then((reason) => ended.push(reason.message));
  const outcomes = new Map<string, number>();
  let session = openSession(socketPath).on('error', () => undefined);
  await fc.assert(
    fc.asyncProperty(hostileCalls, async (call) => {
      if (session.destroyed || session.closed) session = openSession(socketPath).on('error', () => undefined);
      const outcome = await makeCall(session, call);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (ended.length > 0) throw new Error(`the store ended: ${ended[0]}`);
    }),
    limits(milliseconds),
  );
  session.destroy();
  const { bytesInHand, wrongPasswords: _, ...metrics } = await store.metrics();
  await store.stop();
  console.log(
    `hostile calls by outcome: ${JSON.stringify(Object.fromEntries(outcomes))}; ${bytesInHand} bytes left in hand, ${metrics.events} events`,
  );
}

function expressions(milliseconds: number): void {
  let served = 0;
  let refused = 0;
  let longestMs = 0;
  const alphabet = fc.constantFrom(...'aab()|*+?{}1,2[]^$.\\dw-'.split(''));
  const pairs = fc.tuple(
    fc.string({ unit: alphabet, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('a', 'b', '1'), maxLength: 12 }),
  );
  fc.assert(
    fc.property(pairs, ([expression, text]) => {
      let pattern: Pattern;
      try {
        pattern = new Pattern(expression);
      } catch (error) {
        if ((error as Error).name !== 'RefusedPattern') throw error;
        refused += 1;
        return;
      }
      served += 1;
      const long = text.repeat(80);
      const begunAt = performance.now();
      pattern.test(long);
      longestMs = Math.max(longestMs, performance.now() - begunAt);
      if (pattern.moves > 2 * pattern.steps * (long.length + 1))
        throw new Error(`${expression} made ${pattern.moves} moves`);
    }),
    limits(milliseconds),
  );
  console.log(`expressions: ${served} served, ${refused} refused, the longest match took ${longestMs.toFixed(1)} ms`);
}
