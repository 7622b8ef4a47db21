/** A context whose streams are texts, for tests of what is printed. */
import { Readable, Writable } from 'node:stream';
import type { CliContext } from '../context.ts';

export type Captured = { readonly context: CliContext; readonly stdout: () => string; readonly stderr: () => string };

export function captured(given: Partial<CliContext> = {}): Captured {
  const [out, err] = [sink(), sink()];
  return {
    context: {
      env: {},
      home: '/nowhere',
      stdin: Readable.from([]),
      stdout: out.stream,
      stderr: err.stream,
      colorDepth: 1,
      now: () => new Date('2026-04-01T12:00:00Z'),
      isTerminal: false,
      columns: Number.POSITIVE_INFINITY,
      isInteractive: false,
      color: { stdout: false, stderr: false },
      ...given,
    },
    stdout: out.text,
    stderr: err.text,
  };
}

function sink(): { stream: Writable; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}
