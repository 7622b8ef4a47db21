/** The tokens of a person as they are kept with a session, sealed. They never leave this service but to the provider and to the gateway. */

/** Times in milliseconds since the epoch. */
export type Tokens = {
  /** The person at the provider; tokens that are renewed must be of the same. */
  readonly subject: string;
  readonly accessToken: string;
  /** From then on a new one is asked for. */
  readonly renewMs: number;
  readonly endsMs: number;
  readonly refreshToken?: string;
  /** Says at the end which session of the provider shall end. */
  readonly idToken: string;
};

/** A token is renewed this long before its end, or after three quarters of a short life. */
const renewBeforeMs = 60_000;

/** When a token that was given at `nowMs` for a while is to be renewed, and when it ends. */
export function livesOf(seconds: number, nowMs: number): Pick<Tokens, 'renewMs' | 'endsMs'> {
  const lifeMs = seconds * 1_000;
  return { renewMs: nowMs + lifeMs - Math.min(renewBeforeMs, lifeMs / 4), endsMs: nowMs + lifeMs };
}
