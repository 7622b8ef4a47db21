/**
 * A run: writers work at the same time, processes die at moments that the seed chose, and every few rounds everything falls quiet
 * for the checker. It stops at the first check that finds the data wrong, so that the data folder shows it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lostAcknowledgements, remember, violationsOf, type Remembered } from './checker.ts';
import { Client } from './client.ts';
import { Gate } from './gate.ts';
import { isDone, type Attempt, type CommandRecord } from './history.ts';
import type { Installation } from './installation.ts';
import type { Options } from './options.ts';
import { planRound, processNames, type Kill } from './plan.ts';
import { Processes } from './processes.ts';
import { createRandom, type Random } from './random.ts';
import { readLog, readModelViolations, streamsReadOtherwise } from './reading.ts';
import type { Violation } from './violation.ts';
import { makeSharedRoles, write, type WriterOptions } from './writer.ts';

const givesUpAfterMs = 60_000;
const pollMs = 20;
const quietWithinMs = 150_000;
const sampledStreams = 100;

/** One round as it went. */
export type Round = {
  readonly number: number;
  readonly kills: readonly Kill[];
  /** From the last kill until everything answers again. */
  readonly readyMs: number;
  readonly acknowledged: number;
};

export type Result = {
  readonly rounds: readonly Round[];
  readonly commands: readonly CommandRecord[];
  readonly facts: number;
  readonly lostAcknowledgements: number;
  readonly checks: number;
  readonly tookMs: number;
  readonly violations: readonly Violation[];
};

/** Runs it to its end or to the first violation. `say` gets one line per round and per check. */
export async function run(installation: Installation, options: Options, say: (line: string) => void): Promise<Result> {
  const processes = new Processes(installation);
  processes.start();
  const crash = new Crash({ installation, options, processes, say });
  try {
    return await crash.run();
  } finally {
    await processes.stop();
  }
}

type Parts = {
  readonly installation: Installation;
  readonly options: Options;
  readonly processes: Processes;
  readonly say: (line: string) => void;
};

class Crash {
  readonly #parts: Parts;
  /** Of the kills alone: what else draws from it would change the plan of a seed. */
  readonly #random: Random;
  readonly #gate: Gate;
  readonly #client: Client;
  readonly #stopping = new AbortController();
  readonly #begun = performance.now();
  readonly #keep = (record: CommandRecord): void => void this.#commands.push(record);
  readonly #commands: CommandRecord[] = [];
  readonly #rounds: Round[] = [];
  readonly #violations: Violation[] = [];
  /** These break a promise too, but leave nothing behind that is worth ending the run for. */
  readonly #late: Violation[] = [];
  #remembered: Remembered = new Map();
  #acknowledged = 0;
  /** When the attempt was sent that was acknowledged and sent last. */
  #newestSentAt = -1;
  #facts = 0;
  #lostAcknowledgements = 0;
  #checks = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#random = createRandom(parts.options.seed);
    this.#gate = new Gate(parts.options.writers);
    this.#client = new Client({
      port: parts.installation.ports.controlPlane,
      signer: parts.installation.signer,
      onAttempt: (attempt) => this.#onAttempt(attempt),
      signal: this.#stopping.signal,
    });
  }

  async run(): Promise<Result> {
    const sharedRoles = await makeSharedRoles(this.#client, this.#keep);
    const writing = this.#startWriters(sharedRoles);
    try {
      // A writer ends before the rounds do only by an error of its own, and then nothing more comes of them.
      await Promise.race([this.#runRounds(), writing]);
    } finally {
      this.#stopping.abort();
      this.#gate.open();
      await Promise.allSettled([writing]);
    }
    return {
      rounds: this.#rounds,
      commands: this.#commands,
      facts: this.#facts,
      lostAcknowledgements: this.#lostAcknowledgements,
      checks: this.#checks,
      tookMs: performance.now() - this.#begun,
      violations: [...this.#violations, ...this.#late],
    };
  }

  /** Ends with the gate closed: what the writers did is then what was checked. */
  async #runRounds(): Promise<void> {
    const { rounds, checkEvery } = this.#parts.options;
    for (let number = 1; number <= rounds && this.#violations.length === 0; number += 1) {
      this.#gate.open();
      await this.#round(number);
      const isDue = number % checkEvery === 0 || number === rounds;
      if (isDue && this.#violations.length === 0) await this.#check();
    }
  }

  #startWriters(sharedRoles: WriterOptions['sharedRoles']): Promise<unknown> {
    const shared = { client: this.#client, keep: this.#keep, wanted: () => this.#gate.pass(), sharedRoles };
    const random = createRandom(this.#parts.options.seed + 1);
    return Promise.all(
      Array.from({ length: this.#parts.options.writers }, (_, index) =>
        write({
          ...shared,
          number: index + 1,
          random: createRandom(random.between(0, 2 ** 32 - 1)),
          signal: this.#stopping.signal,
        }),
      ),
    );
  }

  #onAttempt({ answer, startedAt }: Attempt): void {
    if (!isDone(answer)) return;
    this.#acknowledged += 1;
    this.#newestSentAt = Math.max(this.#newestSentAt, startedAt);
  }

  async #round(number: number): Promise<void> {
    const { options, processes, say } = this.#parts;
    const kills = planRound(this.#random);
    let killedAt = 0;
    for (const kill of kills) {
      await this.#sleep(kill.afterMs);
      killedAt = performance.now();
      processes.kill(kill);
    }
    const readyMs = await this.#readyAgain(killedAt);
    const round = { number, kills, readyMs, acknowledged: this.#acknowledged };
    this.#rounds.push(round);
    say(lineOf(round));
    if (readyMs > givesUpAfterMs) {
      const what = `round ${number}: not ready after ${seconds(readyMs)}, killed was ${victimsOf(round)}`;
      this.#violations.push({ promise: 'G10', what }, ...this.#endedByThemselves());
    } else if (readyMs > options.readyWithinMs) {
      const what = `round ${number}: ready again after ${seconds(readyMs)}, killed was ${victimsOf(round)}`;
      this.#late.push({ promise: 'G10', what });
    }
  }

  /** Milliseconds until every process is ready and a command that was sent after the kill is acknowledged. */
  async #readyAgain(killedAt: number): Promise<number> {
    const { processes, installation } = this.#parts;
    const { controlPlane, projections } = installation.ports;
    for (;;) {
      const passed = performance.now() - killedAt;
      if (passed > givesUpAfterMs) return passed;
      await this.#sleep(pollMs);
      if (!processes.areReady || this.#newestSentAt < killedAt) continue;
      const answers = await Promise.all([controlPlane, projections].map(isServing));
      if (answers.every(Boolean)) return performance.now() - killedAt;
    }
  }

  async #check(): Promise<void> {
    const { installation, say } = this.#parts;
    const begun = performance.now();
    await this.#gate.close(quietWithinMs);
    const log = await readLog(installation);
    const streams = [...new Set(log.map(({ stream }) => stream))];
    const sample = createRandom(log.length).shuffled(streams).slice(0, sampledStreams);
    const found: readonly Violation[] = [
      ...this.#endedByThemselves(),
      ...violationsOf({ commands: this.#commands, log, remembered: this.#remembered }),
      ...(await streamsReadOtherwise(installation, log, sample)),
      ...(await readModelViolations(installation, log.at(-1)?.position ?? 0n)),
    ];
    this.#remembered = remember(log);
    this.#facts = log.length;
    this.#lostAcknowledgements = lostAcknowledgements(this.#commands, log);
    this.#checks += 1;
    this.#violations.push(...found);
    say(
      `  checked ${this.#commands.length} commands against ${log.length} facts in ${seconds(performance.now() - begun)}: ` +
        (found.length === 0 ? 'all promises held' : `${found.length} violations`),
    );
  }

  #endedByThemselves(): readonly Violation[] {
    return this.#parts.processes.unexpected.map((what) => ({ promise: 'G10', what }));
  }

  #sleep(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stopping.signal });
  }
}

async function isServing(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz/ready`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Who died, in the order of the kills. */
export const victimsOf = ({ kills }: Pick<Round, 'kills'>): string =>
  kills.map(({ victims }) => (victims.length === processNames.length ? 'all' : victims.join(' + '))).join(', then ');

const lineOf = (round: Round): string =>
  `round ${String(round.number).padStart(3)}  killed ${victimsOf(round).padEnd(34)} acknowledged ${String(round.acknowledged).padStart(6)}  ready again after ${seconds(round.readyMs)}`;
