/**
 * The highest log position that this page has heard of: of its own commands and of what the server told of others'. Every question
 * carries it, and the server answers once its read models have come that far.
 */

export type Position = {
  /** As a decimal string; undefined before the first. */
  readonly highest: () => string | undefined;
  /** Takes one that was heard; what is none, or lower, changes nothing. */
  readonly learn: (position: string | null) => void;
};

export function createPosition(): Position {
  let highest = -1n;
  return {
    highest: () => (highest < 0n ? undefined : String(highest)),
    learn(position) {
      if (position === null || !/^\d{1,20}$/.test(position)) return;
      const heard = BigInt(position);
      if (heard > highest) highest = heard;
    },
  };
}
