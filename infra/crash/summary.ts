/** The table at the end of a run. */
import { isAmbiguous, isDone, type CommandRecord } from './history.ts';
import { processNames } from './plan.ts';
import { victimsOf, type Result } from './run.ts';

const shownViolations = 20;

/** Lines for people: what was done to whom, what came of it, and every violation. */
export function summaryLines(result: Result): readonly string[] {
  const { rounds, commands, violations } = result;
  const attempts = commands.flatMap((command) => command.attempts);
  const count = (has: (command: CommandRecord) => boolean): number => commands.filter(has).length;
  const wasDone = ({ attempts: all }: CommandRecord): boolean => all.some(({ answer }) => isDone(answer));
  const rows: readonly (readonly [string, string | number])[] = [
    ['minutes', (result.tookMs / 60_000).toFixed(1)],
    ['rounds', rounds.length],
    ...killRows(rounds),
    ['commands', commands.length],
    ['  acknowledged', count(wasDone)],
    ['  refused (another had the name)', count((command) => !wasDone(command))],
    ['  sent more than once', count(({ attempts: all }) => all.length > 1)],
    ['attempts', attempts.length],
    ['  not taken: nobody was there', attempts.filter(({ wasSent }) => !wasSent).length],
    ['  ambiguous: cut, or answered 503', attempts.filter(isAmbiguous).length],
    ['  of these applied all the same', result.lostAcknowledgements],
    ['  longest, ms', Math.round(attempts.reduce((most, one) => Math.max(most, one.endedAt - one.startedAt), 0))],
    ['facts in the log', result.facts],
    ['checks of everything', result.checks],
    ['violations', violations.length],
  ];
  return [
    ...rows.map(([name, value]) => `${name.padEnd(36)}${String(value).padStart(8)}`),
    'ready again after, ms                  rounds  median     max',
    ...readyLines(rounds),
    ...violations.slice(0, shownViolations).map(({ promise, what }) => `${promise} broken: ${what}`),
  ];
}

function killRows(rounds: Result['rounds']): readonly (readonly [string, number])[] {
  const kills = rounds.flatMap((round) => round.kills);
  const alone = (name: string) => kills.filter(({ victims }) => victims.length === 1 && victims[0] === name).length;
  return [
    ['kills', kills.length],
    ...processNames.map((name): readonly [string, number] => [`  of ${name} alone`, alone(name)]),
    ['  of all at once', kills.filter(({ victims }) => victims.length === processNames.length).length],
  ];
}

function readyLines(rounds: Result['rounds']): readonly string[] {
  const kinds = Map.groupBy(rounds, (round) => (round.kills.length > 1 ? 'twice' : victimsOf(round)));
  return [...kinds, ['any', rounds] as const].map(([kind, some]) => {
    const times = some.map(({ readyMs }) => readyMs).toSorted((one, other) => one - other);
    const median = times[Math.floor(times.length / 2)] ?? 0;
    const numbers = [some.length, Math.round(median), Math.round(times.at(-1) ?? 0)];
    return `  ${`killed ${kind}`.padEnd(35)}${numbers.map((number) => String(number).padStart(8)).join('')}`;
  });
}
