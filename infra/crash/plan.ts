/**
 * What is killed in a round, and when: one kill, sometimes a second one into the recovery from the first. Drawn from the seed
 * alone, so that a seed tells the whole plan.
 */
import type { Random } from './random.ts';

/** The processes that can die. The projector's also answers the audit. */
export const processNames = ['event-store', 'control-plane', 'projections'] as const;
export type ProcessName = (typeof processNames)[number];

/** `afterMs` counts from the kill before, or from the beginning of the round. */
export type Kill = {
  readonly afterMs: number;
  readonly victims: readonly ProcessName[];
  /** How long each stays dead. A different order each time: any of them may find the others missing. */
  readonly deadMs: Readonly<Record<ProcessName, number>>;
};

const work = { leastMs: 120, mostMs: 1_600 };
const intoRecovery = { probability: 0.25, leastMs: 20, mostMs: 2_000 };
/** The supervisor of the product waits 0.2 s before it starts a dead process again. */
const dead = { leastMs: 0, mostMs: 500 };
const everything = 0.2;
const alone: readonly ProcessName[] = [
  'event-store',
  'event-store',
  'event-store',
  'control-plane',
  'control-plane',
  'control-plane',
  'projections',
];

/** The kills of one round. */
export function planRound(random: Random): readonly Kill[] {
  const first = planKill(random, random.between(work.leastMs, work.mostMs));
  if (!random.chance(intoRecovery.probability)) return [first];
  return [first, planKill(random, random.between(intoRecovery.leastMs, intoRecovery.mostMs))];
}

function planKill(random: Random, afterMs: number): Kill {
  const victims = random.chance(everything) ? processNames : [random.pick(alone)];
  const deadMs = () => random.between(dead.leastMs, dead.mostMs);
  return {
    afterMs,
    victims,
    deadMs: { 'event-store': deadMs(), 'control-plane': deadMs(), projections: deadMs() },
  };
}
