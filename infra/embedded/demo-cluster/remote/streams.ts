/**
 * The streams between a client and a program in a pod, whichever protocol carries them.
 */
import type { Call } from '../call.ts';
import type { Input, Output } from '../byte-queue.ts';
import { isSet } from '../request-info.ts';
import type { TerminalSize } from '../shell/terminal.ts';
import { badRequest } from '../status.ts';

/** Which streams a client asked for. */
export interface WantedStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Whether a terminal is between the client and the program; stderr then goes where stdout goes. */
  tty: boolean;
}

/** How a program ended: an exit code, 0 for success. */
export type ExitCode = number;

/** Open streams; those that were not asked for are undefined. */
export interface RemoteStreams {
  readonly stdin: Input | undefined;
  readonly stdout: Output | undefined;
  readonly stderr: Output | undefined;
  /** Told every size of the client's terminal, the latest one at once. */
  onResize(listener: (size: TerminalSize) => void): void;
  /** Tells the client how the program ended, and closes the connection. */
  finish(code: ExitCode): Promise<void>;
}

/** Reads the streams out of a request. @throws ApiError 400 when it asks for none */
export function wantedStreams({ info: { query } }: Call): WantedStreams {
  const [stdin, stdout, tty] = [isSet(query, 'stdin'), isSet(query, 'stdout'), isSet(query, 'tty')];
  const stderr = isSet(query, 'stderr') && !tty;
  if (!stdin && !stdout && !stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  return { stdin, stdout, stderr, tty };
}
