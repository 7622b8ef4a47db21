/**
 * pods/NAME/exec: runs one of the stand-in's programs in a simulated container.
 */
import { ignoreLeaving, type Output } from '../byte-queue.ts';
import type { Call } from '../call.ts';
import { emptyInput } from '../shell/open-file.ts';
import { findProgram, type Machine, print, type Process, runProgram } from '../shell/process.ts';
import { Terminal } from '../shell/terminal.ts';
import { badRequest } from '../status.ts';
import { machineOf } from './machine.ts';
import { openStreams } from './open-streams.ts';
import { type ExitCode, type RemoteStreams, wantedStreams } from './streams.ts';
import { needUpgrade, targetOf } from './target.ts';

/** The exit code of a program that was killed: 128 and the number of the signal. */
const killedCode = 137;
const discard: Output = { write: async () => undefined };

/** @throws ApiError before the connection is upgraded; afterwards everything is told over the streams */
export async function answerExec(call: Call): Promise<void> {
  const target = targetOf(call);
  const command = call.info.query.getAll('command');
  if (command.length === 0 || command[0] === '')
    throw badRequest('you must specify at least one command for the container');
  const wanted = wantedStreams(call);
  needUpgrade(call);
  await call.cluster.sessions.hold(call.exchange, target.pod, async (signal) => {
    const machine = machineOf(call.cluster, target);
    const streams = await openStreams(call.exchange, wanted);
    const code = await run(machine, command, { streams, tty: wanted.tty, signal });
    await streams.finish(signal.aborted ? killedCode : code);
  });
}

interface Session {
  streams: RemoteStreams;
  tty: boolean;
  signal: AbortSignal;
}

async function run(machine: Machine, [name = '', ...args]: string[], session: Session): Promise<ExitCode> {
  const { streams } = session;
  const found = findProgram(machine, name, '/');
  if (!('program' in found)) {
    const why = `exec: ${JSON.stringify(name)}: ${found.why}: unknown`;
    const message = `OCI runtime exec failed: exec failed: unable to start container process: ${why}\n`;
    await print(streams.stderr ?? streams.stdout ?? discard, message);
    return found.code;
  }
  const about = { name, args, machine, environment: machine.environment, workingDirectory: '/' };
  if (session.tty) return runAtTerminal(about, session, (process) => runProgram(found.program, process));
  const { stdin = emptyInput, stdout = discard, stderr = discard } = streams;
  return runProgram(found.program, { ...about, stdin, stdout, stderr, terminal: undefined, signal: session.signal });
}

type Described = Pick<Process, 'name' | 'args' | 'machine' | 'environment' | 'workingDirectory'>;

async function runAtTerminal(
  about: Described,
  { streams, signal }: Session,
  start: (process: Process) => Promise<ExitCode>,
): Promise<ExitCode> {
  const terminal = new Terminal(streams.stdout ?? discard);
  const pressed = new AbortController();
  terminal.onInterrupt(() => pressed.abort());
  streams.onResize((size) => terminal.resize(size));
  // It ends with the client or the session, both of which the program learns of by itself.
  terminal.attend(streams.stdin ?? emptyInput, signal).catch(ignoreLeaving);
  return start({
    ...about,
    stdin: terminal,
    stdout: terminal,
    stderr: terminal,
    terminal,
    signal: AbortSignal.any([signal, pressed.signal]),
  });
}
