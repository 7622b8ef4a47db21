/**
 * What oidc-provider has to remember between requests (sessions, codes, grants, refresh tokens), kept in SQLite so that
 * a restart signs nobody out. Nothing here judges a row: expiry, consumption and binding are oidc-provider's to check.
 *
 * Every kind of row has a limit. Anybody on the machine can start sign-ins that are never finished, so a full kind
 * drops the rows that would expire first: those of strangers live minutes, those of signed-in people hours.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Adapter, AdapterPayload } from 'oidc-provider';

const rowLimits: Readonly<Record<string, number>> = {
  Session: 5_000,
  Grant: 10_000,
  RefreshToken: 10_000,
  Interaction: 2_000,
  AuthorizationCode: 2_000,
  DeviceCode: 500,
};
const otherRowLimit = 500;
const insertsBetweenTrims = 64;
/** An expired device code is still told apart from an unknown one for this long (RFC 8628 3.5, `expired_token`). */
const keepExpiredSeconds = 60;

export type Artifacts = {
  /** The adapter of one kind of row, as oidc-provider asks for it. */
  adapter(model: string): Adapter;
  /** Deletes what expired more than a minute ago; returns how many rows that were. */
  sweep(): number;
};

export function openArtifacts(database: DatabaseSync, now: () => Date): Artifacts {
  const sweepExpired = database.prepare('DELETE FROM artifacts WHERE expires_at_seconds < ?');
  return {
    adapter: (model) => new ArtifactAdapter(database, model, now),
    sweep: () => Number(sweepExpired.run(seconds(now()) - keepExpiredSeconds).changes),
  };
}

class ArtifactAdapter implements Adapter {
  readonly #database: DatabaseSync;
  readonly #model: string;
  readonly #now: () => Date;
  #insertsSinceTrim = 0;

  constructor(database: DatabaseSync, model: string, now: () => Date) {
    this.#database = database;
    this.#model = model;
    this.#now = now;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds = 0): Promise<void> {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO artifacts (model, id, payload, grant_id, user_code, uid, expires_at_seconds)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        this.#model,
        id,
        JSON.stringify(payload),
        textOrNull(payload.grantId),
        textOrNull(payload.userCode),
        textOrNull(payload.uid),
        seconds(this.#now()) + Math.ceil(expiresInSeconds),
      );
    this.#insertsSinceTrim += 1;
    if (this.#insertsSinceTrim >= insertsBetweenTrims) this.#trim();
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#select('id = ?', id);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#select('user_code = ?', userCode);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#select('uid = ?', uid);
  }

  async consume(id: string): Promise<void> {
    this.#database
      .prepare(`UPDATE artifacts SET payload = json_set(payload, '$.consumed', ?) WHERE model = ? AND id = ?`)
      .run(seconds(this.#now()), this.#model, id);
  }

  async destroy(id: string): Promise<void> {
    this.#database.prepare('DELETE FROM artifacts WHERE model = ? AND id = ?').run(this.#model, id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    this.#database.prepare('DELETE FROM artifacts WHERE model = ? AND grant_id = ?').run(this.#model, grantId);
  }

  #select(condition: string, value: SQLInputValue): AdapterPayload | undefined {
    const row = this.#database
      .prepare(`SELECT payload FROM artifacts WHERE model = ? AND ${condition}`)
      .get(this.#model, value);
    return row === undefined ? undefined : JSON.parse(String(row['payload']));
  }

  #trim(): void {
    this.#insertsSinceTrim = 0;
    this.#database
      .prepare(
        `DELETE FROM artifacts WHERE model = ?1 AND id IN (
           SELECT id FROM artifacts WHERE model = ?1 ORDER BY expires_at_seconds
           LIMIT max(0, (SELECT count(*) FROM artifacts WHERE model = ?1) - ?2))`,
      )
      .run(this.#model, rowLimits[this.#model] ?? otherRowLimit);
  }
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
