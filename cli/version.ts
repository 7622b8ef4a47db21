/** The version of this command line tool, and whether a server still answers it. */
import { CliError, exitCodes } from './failure.ts';
import { visible } from './text.ts';

/** Semver. */
export const version = '0.1.0';

/** Throws exit code 8 when the server wants a newer tool. An empty or unreadable minimum asks for nothing. */
export function requireVersion(mine: string, minimum: string, server: string): void {
  if (!isOlder(mine, minimum)) return;
  throw new CliError(
    exitCodes.versionSkew,
    `${server} needs clustral ${visible(minimum)} or newer, this is ${mine}`,
    'clustral update says how',
  );
}

/** True when the first version comes before the second; pre-releases count as what they precede. */
export const isOlder = (mine: string, other: string): boolean => compare(numbersOf(mine), numbersOf(other)) < 0;

const numbersOf = (text: string): readonly number[] =>
  (/^\d+(\.\d+){0,2}/.exec(text)?.[0] ?? '0').split('.').map(Number);

function compare(a: readonly number[], b: readonly number[]): number {
  const differs = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return differs === undefined ? 0 : (a[differs] ?? 0) - (b[differs] ?? 0);
}
