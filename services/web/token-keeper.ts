/**
 * The access token of a session, always one that is still good: renewed before it runs out, by one question at a time however many
 * calls wait for it. A provider that says no ends the session; one that says nothing ends nothing.
 */
import type { Log } from '@clustral/kernel/log.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { signInFirst, type Session, type Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export type TokenKeeper = {
  /** The access token. Throws `AUTHENTICATION_REQUIRED` when the session has ended, `UPSTREAM_UNAVAILABLE` for a silent provider. */
  accessToken(session: Session): Promise<string>;
};

export type TokenKeeperOptions = {
  readonly sessions: Pick<Sessions, 'tokens' | 'renew' | 'end'>;
  readonly provider: Pick<IdentityProvider, 'renew' | 'revoke'>;
  readonly now: () => number;
  readonly log: Log;
};

/** What is left of a token that a call may still be sent with. */
const leastLeftMs = 5_000;

export function createTokenKeeper({ sessions, provider, now, log }: TokenKeeperOptions): TokenKeeper {
  const renewing = new Map<string, Promise<Tokens>>();

  const renewOnce = async (session: Session, tokens: Tokens): Promise<Tokens> => {
    const renewed = await provider.renew(tokens);
    if (renewed === undefined) {
      log.info({ person: session.person }, 'the session at the identity provider is over');
      sessions.end(session);
      throw signInFirst();
    }
    if (sessions.renew(session, renewed)) return renewed;
    // Signed out while the provider was asked: nobody else would make these worthless.
    await provider.revoke(renewed);
    throw signInFirst();
  };

  const renew = (session: Session, tokens: Tokens): Promise<Tokens> => {
    const running = renewing.get(session.key);
    if (running) return running;
    const started = renewOnce(session, tokens).finally(() => renewing.delete(session.key));
    renewing.set(session.key, started);
    return started;
  };

  return {
    async accessToken(session) {
      const tokens = sessions.tokens(session);
      if (tokens === undefined) throw signInFirst();
      if (now() < tokens.renewMs) return tokens.accessToken;
      const renewed = renew(session, tokens);
      if (now() >= tokens.endsMs - leastLeftMs) return (await renewed).accessToken;
      // Nobody waits while the old one is good. A refusal has ended the session by then, silence is written down by the provider's part.
      renewed.catch(() => undefined);
      return tokens.accessToken;
    },
  };
}
