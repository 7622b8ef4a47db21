/** What the page of an error code says beside the catalogue: in words for the person who met it, and for whoever runs Clustral. */
export type ErrorHelp = {
  /** What happened, in one or two sentences. */
  readonly meaning: string;
  /** The likely causes, the likeliest first. */
  readonly causes: readonly string[];
  /** What the person who met it does. */
  readonly person: string;
  /** What the operator of this installation does. */
  readonly operator: string;
  /** A sentence as the product says it. */
  readonly example: string;
};
