import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from './database.ts';

describe('the database of the log', () => {
  it('G1 answers a commit only after its write-ahead log is on the disk', () => {
    const folder = mkdtempSync(join(tmpdir(), 'database-'));
    const opened = openDatabase(folder, () => undefined);
    const setting = (name: string): unknown => Object.values(opened.database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    // 2 is FULL: with a write-ahead log, each commit waits for its fsync.
    expect([setting('journal_mode'), setting('synchronous')]).toEqual(['wal', 2]);
    opened.close();
    rmSync(folder, { recursive: true });
  });
});
