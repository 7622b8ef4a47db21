/** Facts of a person as the identity provider describes them: stream `user-{id}`; assignments are in `access.ts`. */
import type { UserId } from '../ids.ts';
import type { PersonClaims } from './person.ts';

export type UserFact =
  | {
      readonly type: 'user.synced';
      readonly data: {
        readonly userId: UserId;
        readonly claims: PersonClaims;
        /** The Kubernetes user name that follows from the claims (D14), or null when none may be used. */
        readonly kubernetesName: string | null;
        /** `verified` beats `claimed` when two people have one name (D14). */
        readonly nameClass: 'verified' | 'claimed' | 'subject';
        /** When the person last signed in at the provider (`auth_time`), ISO 8601. */
        readonly signedInAt: string | null;
      };
    }
  | { readonly type: 'user.disabled'; readonly data: { readonly userId: UserId } }
  | { readonly type: 'user.enabled'; readonly data: { readonly userId: UserId } };

export const userStream = (id: UserId): string => `user-${id}`;
