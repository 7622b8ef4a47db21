/** The version of this command line tool, and whether a server still answers it. */
import { CliError, exitCodes } from './failure.ts';
import { visible } from './text.ts';

/** Semver. */
export const version = '0.1.0';

/** Throws exit code 8 when the server wants a newer tool. An empty or unreadable minimum asks for nothing. */
export function requireVersion(mine: string, minimum: string, server: string): void {
  if (compare(numbersOf(mine), numbersOf(minimum)) >= 0) return;
  throw new CliError(
    exitCodes.versionSkew,
    `${server} needs clustral ${visible(minimum)} or newer, this is ${mine}`,
    'upgrade clustral the way it was installed',
  );
}

const numbersOf = (text: string): readonly number[] =>
  (/^\d+(\.\d+){0,2}/.exec(text)?.[0] ?? '0').split('.').map(Number);

function compare(a: readonly number[], b: readonly number[]): number {
  const differs = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return differs === undefined ? 0 : (a[differs] ?? 0) - (b[differs] ?? 0);
}
