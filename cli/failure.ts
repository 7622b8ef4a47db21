/**
 * Failures: exit codes that scripts can rely on, and the shape in which a failure is printed. Light on purpose, every command loads it; what
 * foreign errors mean is in `explain.ts`.
 */

/** Exit codes of every command. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  signInNeeded: 4,
  forbidden: 5,
  conflict: 6,
  /** Not reachable, too slow or too busy: the same again may work later. */
  unavailable: 7,
  versionSkew: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure ready to be printed. */
export type Failure = {
  readonly exitCode: ExitCode;
  /** What happened, one sentence. */
  readonly what: string;
  /** Code of the error catalogue, when the server refused. */
  readonly code?: string;
  /** What to do next: a command or a sentence. */
  readonly fix?: string;
  /** Address of the page about the code. */
  readonly help?: string;
  readonly correlationId?: string;
  /** The offending input of a validation error. */
  readonly field?: string;
  readonly cause?: unknown;
};

/** A failure that this tool itself foresaw. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly fix: string | undefined;
  constructor(exitCode: ExitCode, what: string, fix?: string) {
    super(what);
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.fix = fix;
  }
}

/** What to print for a failure that was foreseen. */
export function failureOf({ exitCode, message, fix }: CliError): Failure {
  return { exitCode, what: message, ...(fix === undefined ? {} : { fix }) };
}
