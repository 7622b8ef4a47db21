/** What every component may reach: made once in `main.tsx`, by fakes in tests. Nothing of it is made on import. */
import type { Transport } from '@connectrpc/connect';
import { createContext, useContext, type Accessor } from 'solid-js';
import type { Notices } from '../kit/notices.ts';
import type { Keys } from '../shell/keys.ts';
import type { Clock } from './clock.ts';
import type { Live } from './live.ts';
import type { Preferences } from './preferences.ts';
import type { Person, Session } from './session.ts';

export type App = {
  readonly transport: Transport;
  readonly session: Session;
  readonly live: Live;
  readonly clock: Clock;
  readonly preferences: Preferences;
  readonly notices: Notices;
  readonly keys: Keys;
  /** How many pages were drawn since the document was loaded. */
  readonly visit: { pages: number };
  /** Address of the installation as people type it, e.g. `https://localhost:8443`. */
  readonly origin: string;
};

export const AppContext = createContext<App>();

/** The services of the page. Throws outside of one. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('useApp is called outside of AppContext');
  return app;
}

/** The person who is signed in; only below the frame, which is not drawn before there is one. */
export function usePerson(): Accessor<Person> {
  const { session } = useApp();
  return () => {
    const state = session.state();
    if (state.status !== 'signed-in') throw new Error('usePerson is called while nobody is signed in');
    return state.person;
  };
}

export type May = {
  readonly administer: Accessor<boolean>;
  /** Read what belongs to others. */
  readonly readAll: Accessor<boolean>;
  /** Ask for access and decide about it: everybody but auditors, who see everything and change nothing. */
  readonly act: Accessor<boolean>;
};

/** What the person may do at all, so that nobody is offered what the server would refuse; the server decides each thing anew. */
export function useMay(): May {
  const person = usePerson();
  return {
    administer: () => person().isAdmin,
    readAll: () => person().isAdmin || person().isAuditor,
    act: () => person().isAdmin || !person().isAuditor,
  };
}
