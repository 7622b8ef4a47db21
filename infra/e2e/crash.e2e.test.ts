/** The promises of the log under SIGKILL: twenty rounds at random, and the three deaths between a commit and its answer. */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAnswerCut } from '../crash/answer-cut.ts';
import { violationsOf } from '../crash/checker.ts';
import { Client, type KnownPerson, type Wish } from '../crash/client.ts';
import { isAmbiguous, type CommandRecord } from '../crash/history.ts';
import { prepareInstallation, type Installation } from '../crash/installation.ts';
import { processNames, type ProcessName } from '../crash/plan.ts';
import { Processes } from '../crash/processes.ts';
import { readLog } from '../crash/reading.ts';
import { run } from '../crash/run.ts';
import { summaryLines } from '../crash/summary.ts';

describe('twenty rounds of kill -9', () => {
  // A second look would hide what the first one found.
  it(
    'F-02 F-08 F-09 lose no acknowledged fact, double none, leave every stream gapless and the read models as the fold of the log',
    {
      retry: 0,
      timeout: 240_000,
    },
    async () => {
      const installation = await prepareInstallation();
      const options = {
        rounds: 20,
        seed: randomInt(2 ** 32 - 1),
        writers: 6,
        checkEvery: 10,
        readyWithinMs: 30_000,
        keep: false,
      };
      const lines: string[] = [];
      const result = await run(installation, options, (line) => lines.push(line));
      installation.release();
      const told = [`seed ${options.seed}, data in ${installation.root}`, ...lines, ...summaryLines(result)].join('\n');
      expect(result.violations, told).toEqual([]);
      expect(result.rounds, told).toHaveLength(20);
      expect(result.lostAcknowledgements, told).toBeGreaterThan(0);
      rmSync(installation.root, { recursive: true, force: true });
    },
  );
});

describe('a death between the commit and its answer', () => {
  const cases: readonly { readonly died: string; readonly victims: readonly ProcessName[] }[] = [
    { died: 'the control plane', victims: ['control-plane'] },
    { died: 'the event store', victims: ['event-store'] },
    { died: 'everything', victims: processNames },
  ];
  const nameOf = (died: string): string => `made-as-${died.replace(/ /g, '-')}-died`;
  const stopping = new AbortController();
  const commands: CommandRecord[] = [];
  let installation: Installation;
  let processes: Processes;
  let client: Client;
  let admin: KnownPerson;
  const killed: string[] = [];
  const undo = new AsyncDisposableStack();

  beforeAll(async () => {
    installation = await prepareInstallation();
    undo.defer(() => rmSync(installation.root, { recursive: true, force: true }));
    undo.defer(() => installation.release());
    const between = join(installation.root, 'cut.sock');
    const controlPlane = installation.assignments['control-plane'];
    const parts = controlPlane.parts.map(({ name, environment }) => ({
      name,
      environment: { ...environment, EVENTSTORE_CONNECTION_STRING: `unix:${between}` },
    }));
    processes = new Processes({
      logFolder: installation.logFolder,
      assignments: { ...installation.assignments, 'control-plane': { ...controlPlane, parts } },
    });
    const cut = await startAnswerCut({
      from: between,
      to: installation.connectionString.slice('unix:'.length),
      marks: cases.map(({ died }) => nameOf(died)),
      onCommitted: (mark) => {
        killed.push(mark);
        const victims = cases.find(({ died }) => nameOf(died) === mark)?.victims ?? [];
        processes.kill({ afterMs: 0, victims, deadMs: { 'event-store': 50, 'control-plane': 50, projections: 50 } });
      },
    });
    undo.defer(() => void cut.close());
    processes.start();
    undo.defer(() => processes.stop());
    client = new Client({
      port: installation.ports.controlPlane,
      signer: installation.signer,
      onAttempt: () => undefined,
      signal: stopping.signal,
    });
    admin = await client.introduce({ subject: 'admin', isAdmin: true });
  });

  afterAll(async () => {
    stopping.abort();
    await undo.disposeAsync();
  });

  const creating = (name: string, allowedRefusals: readonly string[] = []): Wish => {
    const fields = { name, description: '', k8sGroups: ['viewers'] };
    const expected = [{ type: 'role.created', data: fields }];
    return { method: 'CreateRole', as: admin, fields, expected, allowedRefusals, isShared: false };
  };
  const keep = (record: CommandRecord): void => void commands.push(record);

  it.each(cases)(
    'F-03 F-21 $died: the same key gets the original answer, another key a conflict, and the fact is there once',
    async ({ died }) => {
      const name = nameOf(died);
      const wish = creating(name);
      const { record, answer } = await client.run(wish, keep);
      expect(answer?.status).toBe(201);
      expect(killed.at(-1)).toBe(name);
      expect(record.attempts.findIndex(isAmbiguous)).toBe(0);
      const again = await client.again(wish, record);
      expect(again.answer).toEqual(answer);
      const other = await client.run(creating(name, ['DUPLICATE_ROLE_NAME']), keep);
      expect(other.answer).toMatchObject({ status: 409, code: 'DUPLICATE_ROLE_NAME' });
      const log = await readLog(installation);
      expect(log.filter(({ metadata }) => metadata.idempotency?.key === record.factKey)).toHaveLength(1);
      expect(violationsOf({ commands, log, remembered: new Map() })).toEqual([]);
    },
  );
});
