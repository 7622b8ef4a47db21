/** A promise that was broken. The ids are those of `infra/docs/guarantees.md`. */
export type Promised = 'G1' | 'G2' | 'G3' | 'G4' | 'G10' | 'F-08';

/** Everything that is known of it, in one sentence. */
export type Violation = { readonly promise: Promised; readonly what: string };
