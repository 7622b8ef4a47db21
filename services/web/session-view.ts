/**
 * What the dashboard is told of the person who is signed in: the answer of `GET /api/auth/session`. Nothing in it opens anything:
 * tokens stay on the server (UI-03), and what a person may do is decided anew at every call.
 *
 * The seam between the dashboard and this service:
 *
 * | request | answer |
 * |---|---|
 * | `GET /api/auth/sign-in?returnTo=/page` | 302 to the identity provider |
 * | `GET /api/auth/callback` | 303 to `returnTo` with the session's cookie, or a page that says what went wrong |
 * | `POST /api/auth/sign-out` | 200 `SignOutAnswer`, also when nobody was signed in; 403 from another site |
 * | `GET /api/auth/session` | 200 `SessionView`, or 401 `application/problem+json` |
 * | `POST /app/rpc/clustral.v1.<Service>/<Method>` | the Connect call, unary or streaming; 401 when there is no session, 403 from another site |
 * | `GET /api/audit/api/v1/audit…` | the audit's REST face, for downloads |
 */

/** Times are RFC 3339. */
export type SessionView = {
  readonly user: { readonly id: string; readonly email: string; readonly displayName: string };
  /** Roles of Clustral itself: `clustral-admin`, `clustral-auditor`, `clustral-user`. */
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
  readonly isAuditor: boolean;
  /** When the session ends if nothing more is called. Calls move it, asking for this answer does not. */
  readonly expiresAt: string;
};

/** Where the browser goes next, a path of this origin; the session has ended by then. */
export type SignOutAnswer = { readonly location: string };
