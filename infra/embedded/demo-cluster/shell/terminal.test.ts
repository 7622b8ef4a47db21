import { afterEach, describe, expect, it, vi } from 'vitest';
import { ByteQueue } from '../byte-queue.ts';
import { Collector, ShellWorld } from '../testing/shell-world.ts';
import { Terminal } from './terminal.ts';

const closing = new AbortController();
afterEach(() => vi.useRealTimers());

/** A person at a terminal: what they type, and what they see. */
function seat() {
  const screen = new Collector();
  const keyboard = new ByteQueue(1_000_000);
  const terminal = new Terminal(screen);
  const attending = terminal.attend(keyboard, closing.signal);
  return {
    terminal,
    screen,
    attending,
    type: (text: string): void => void keyboard.push(Buffer.from(text)),
    leave: (): void => keyboard.end(),
    shows: (text: string) => vi.waitFor(() => expect(screen.text).toContain(text)),
  };
}

/** An interactive shell at a terminal. */
function shellAt(at: ReturnType<typeof seat>) {
  const { terminal } = at;
  return new ShellWorld().run(['sh'], { terminal, stdin: terminal, stdout: terminal });
}

describe('a terminal', () => {
  it.each([
    ['shows what is typed and hands over a finished line', 'ls\r', 'ls\n', 'ls\r\n'],
    ['lets a letter be taken back', 'lx\x7fs\r', 'ls\n', 'lx\b \bs\r\n'],
    ['takes back a letter of several bytes at once', 'a\u00e9\x7f\r', 'a\n', 'a\u00e9\b \b\r\n'],
    ['takes back no more than was typed', 'a\x7f\x7f\x7fb\r', 'b\n', 'a\b \bb\r\n'],
    ['takes back a word', 'a bc \x17\r', 'a \n', 'a bc \b \b\b \b\b \b\r\n'],
    ['takes back a line', 'abc\x15d\r', 'd\n', 'abc\b \b\b \b\b \bd\r\n'],
    ['passes over arrow keys', 'a\x1b[A\x1b[1;5C\x1bOBb\r', 'ab\n', 'ab\r\n'],
    ['takes a newline for the enter key', 'ls\n', 'ls\n', 'ls\r\n'],
  ])('%s', async (...[, typed, line, shown]) => {
    const { terminal, screen, type } = seat();
    type(typed);
    expect((await terminal.read())?.toString()).toBe(line);
    expect(screen.text).toBe(shown);
  });

  it('tells the end once for Ctrl-D on an empty line, and hands over an unfinished line', async () => {
    const { terminal, type, leave } = seat();
    type('abc\x04\x04x\r');
    expect((await terminal.read())?.toString()).toBe('abc');
    expect(await terminal.read()).toBeUndefined();
    expect((await terminal.read())?.toString()).toBe('x\n');
    leave();
    expect([await terminal.read(), await terminal.read()]).toEqual([undefined, undefined]);
  });

  it('interrupts with Ctrl-C and forgets what was typed', async () => {
    const { terminal, screen, type } = seat();
    const interrupt = vi.fn();
    terminal.onInterrupt(interrupt);
    type('abc\x03d\r');
    expect((await terminal.read())?.toString()).toBe('d\n');
    expect(interrupt).toHaveBeenCalledOnce();
    expect(screen.text).toBe('abc^C\r\nd\r\n');
  });

  it('moves to the left at every new line that is written', async () => {
    const { terminal, screen } = seat();
    await terminal.write(Buffer.from('a\n\u00e9\n'));
    expect(screen.text).toBe('a\r\n\u00e9\r\n');
  });

  it('keeps a bounded part of what is typed ahead', async () => {
    const { terminal, type, leave, attending } = seat();
    type(`${'x'.repeat(10_000)}\r`.repeat(100));
    leave();
    await attending;
    let bytes = 0;
    for (let line = await terminal.read(); line !== undefined; line = await terminal.read()) bytes += line.length;
    expect(bytes).toBeLessThan(10_000);
  });
});

describe('a shell at a terminal', () => {
  it('prompts, runs and leaves', async () => {
    const at = seat();
    const running = shellAt(at);
    await at.shows('/ # ');
    at.type('cd /etc\r');
    await at.shows('/etc # ');
    at.type('echo "a\r');
    await at.shows('> ');
    at.type('b"; false\r');
    await at.shows('\r\na\r\nb\r\n/etc # ');
    at.type('exit\r');
    expect((await running).code).toBe(1);
  });

  it('goes on after Ctrl-C and ends at Ctrl-D', async () => {
    const at = seat();
    const running = shellAt(at);
    at.type('echo started; sleep 1000; echo no\r');
    await at.shows('\r\nstarted');
    at.type('\x03');
    await at.shows('^C\r\n/ # ');
    at.type('unfinished\x03');
    await at.shows('unfinished^C\r\n/ # ');
    at.type('echo $?\r');
    await at.shows('130\r\n');
    at.type('\x04');
    expect((await running).code).toBe(0);
    expect(at.screen.text).not.toContain('\nno');
  });

  it('lets a program read what is typed', async () => {
    const at = seat();
    const running = shellAt(at);
    at.type('cat | wc -w\r');
    at.type('one two\rthree\r\x04');
    await at.shows('3\r\n/ # ');
    at.leave();
    await running;
  });

  it('tells the size, and the new one after a change', async () => {
    const at = seat();
    at.terminal.resize({ rows: 24, columns: 80 });
    const running = shellAt(at);
    at.type('stty size\r');
    await at.shows('24 80\r\n');
    at.terminal.resize({ rows: 50, columns: 132 });
    at.type('stty size; tty\r');
    await at.shows('50 132\r\n/dev/pts/0\r\n');
    at.leave();
    expect((await running).code).toBe(0);
  });
});
