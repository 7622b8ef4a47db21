import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { faultTest } from '../embedded/event-store/testing/missing-parts.ts';
import { gatherEvidence } from './fsync-evidence.ts';

const folder = mkdtempSync(join(tmpdir(), 'fsync-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the event store under strace', () => {
  faultTest('G1 answers each append only after an fsync of the log that follows its last byte', 'strace', async () => {
    const { evidence, counterEvidence } = await gatherEvidence(folder);
    expect(evidence).toHaveLength(100);
    expect(evidence.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(counterEvidence.filter(({ fault }) => fault === undefined)).toEqual([]);
  });
});
