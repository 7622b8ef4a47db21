import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokenPipe } from '../byte-queue.ts';
import { inputOf, ShellWorld } from '../testing/shell-world.ts';
import { IncompleteText, SyntaxFault } from './syntax.ts';
import { parseProgram } from './parser.ts';

const out = async (text: string, stdin = ''): Promise<string> => (await new ShellWorld().sh(text, stdin)).out;

describe('the shell runs', () => {
  it.each([
    ['commands one after the other', 'echo a; echo b\necho c', 'a\nb\nc\n'],
    ['the second only if the first succeeded', 'true && echo yes; false && echo no', 'yes\n'],
    ['the second only if the first failed', 'false || echo yes; true || echo no', 'yes\n'],
    ['a chain from left to right', 'false && echo a || echo b && echo c', 'b\nc\n'],
    ['a turned exit code', '! false && echo turned', 'turned\n'],
    ['a pipeline', 'echo one two three | wc -w', '3\n'],
    ['a long pipeline', 'echo x | cat | cat | cat | cat', 'x\n'],
    ['quotes', `echo 'a  $LEVEL' "b  $LEVEL" c\\ \\ d`, 'a  $LEVEL b  info c  d\n'],
    ['an empty argument', `sh -c 'echo $#' sh "" '' x`, '3\n'],
    ['values split at blanks', `A='x  y'; sh -c 'echo $#' sh $A "$A"`, '3\n'],
    ['all arguments as they came', `sh -c 'sh -c "echo \\$#" sh "$@"' sh 'a b' c`, '2\n'],
    ['the last exit code', 'false; echo $?; echo $?', '1\n0\n'],
    ['the exit code of a pipeline', 'false | true; echo $?', '0\n'],
    ['variables in braces', 'A=1; echo ${A}2 $A2', '12\n'],
    ['assignments for one command', 'A=1 printenv A; echo "<$A>"', '1\n<>\n'],
    ['exported variables', 'A=1; printenv A; export A; printenv A', '1\n'],
    ['a comment', 'echo a # b', 'a\n'],
    ['a dollar that is one', 'echo $ "$" a$', '$ $ a$\n'],
    ['the home directory', 'echo ~ ~/x "~" a~', '/root /root/x ~ a~\n'],
    ['another directory', 'cd /etc && pwd; cd ..; pwd; cd; pwd; cd -', '/etc\n/\n/root\n'],
    ['a continued line', 'echo a \\\n b', 'a b\n'],
    ['what a part of a pipeline changes, for itself', 'A=1; A=2 | true; echo $A; exit 3 | true; echo on', '1\non\n'],
  ])('%s', async (_, text, expected) => {
    expect(await out(text)).toBe(expected);
  });

  it.each([
    ['exit 7', 7],
    ['false; exit', 1],
    ['exit 300', 44],
    ['nothing-of-that-name', 127],
    ['/etc/passwd', 126],
    ['/bin/nothing', 127],
    ['constructor', 127],
    ['echo "open', 2],
    ['for x in a; do echo $x; done', 2],
    ['echo `id`', 2],
    ['echo $(id)', 2],
    ['sleep 1 &', 2],
    ['| cat', 2],
    ['echo a ||', 2],
  ])('%s and ends with %i', async (text, code) => {
    expect((await new ShellWorld().sh(text)).code).toBe(code);
  });

  it('redirections', async () => {
    const world = new ShellWorld();
    await world.sh('echo one > /tmp/f; echo two >> /tmp/f; echo three 1>> /tmp/f');
    expect((await world.sh('cat < /tmp/f')).out).toBe('one\ntwo\nthree\n');
    expect(await world.sh('cat /none 2> /tmp/err; cat /tmp/err')).toMatchObject({
      out: 'cat: /none: No such file or directory\n',
      err: '',
    });
    expect((await world.sh('cat /none 2>&1 | wc -l')).out).toBe('1\n');
    expect((await world.sh('cat /none > /tmp/both 2>&1; wc -l < /tmp/both')).out).toBe('1\n');
    expect(await world.sh('echo x > /dev/null; cat /dev/null')).toEqual({ code: 0, out: '', err: '' });
    expect(await world.sh('echo x >&2')).toMatchObject({ out: '', err: 'x\n' });
    expect(await world.sh('echo x > /none/f; echo on')).toMatchObject({
      out: 'on\n',
      err: 'sh: /none/f: No such file or directory\n',
    });
  });

  it('lines of its input, which its commands read too', async () => {
    const text = 'echo a\necho "b\nc"\ncat | head -n 1\nfor cat\necho no\n';
    const ran = await new ShellWorld().run(['sh'], { stdin: inputOf(text) });
    expect(ran).toMatchObject({ code: 0, out: 'a\nb\nc\nfor cat\n' });
  });

  it('a file', async () => {
    const world = new ShellWorld();
    await world.sh(`echo 'echo $0 $1; exit 5' > /tmp/script`);
    expect(await world.run(['sh', '/tmp/script', 'arg'])).toMatchObject({ code: 5, out: '/tmp/script arg\n' });
    expect((await world.run(['sh', '/none'])).err).toContain("can't open '/none': No such file or directory");
  });
});

describe('the shell is bounded', () => {
  it('in its variables', async () => {
    const world = new ShellWorld();
    const doubling = Array.from({ length: 20 }, () => 'A=$A$A').join('\n');
    const ran = await world.sh(`A=0123456789\n${doubling}\necho still here`);
    expect(ran.out).toBe('still here\n');
    expect(ran.err).toContain('Argument list too long');
  });

  it('in the length of a pipeline', async () => {
    expect((await new ShellWorld().sh(`cat ${'| cat '.repeat(40)}`)).err).toContain('more than 32 commands');
  });

  it('and stops a writer nobody reads', async () => {
    const world = new ShellWorld();
    await world.sh('echo 0123456789abcdef > /tmp/f');
    const many = 'cat /tmp/f /tmp/f /tmp/f /tmp/f '.repeat(4);
    for (let times = 0; times < 6; times += 1)
      await world.sh(`${many.replaceAll(' cat', '')} > /tmp/g; cat /tmp/g > /tmp/f`);
    expect((await world.sh('cat /tmp/f | head -c 4')).out).toBe('0123');
    const broken = { write: () => Promise.reject(new BrokenPipe()) };
    expect((await world.run(['cat', '/tmp/f'], { stdout: broken })).code).toBe(141);
  });

  it('and says when a disk is full', async () => {
    const world = new ShellWorld(500_000);
    const ran = await world.sh('cat > /tmp/f; echo $?; rm /tmp/f; echo ok > /tmp/f; cat /tmp/f', 'x'.repeat(600_000));
    expect(ran).toMatchObject({ out: '1\nok\n', err: 'cat: write error: No space left on device\n' });
  });

  it('in how many programs run at once, so that no script calls itself for ever', async () => {
    const world = new ShellWorld();
    await world.sh(`echo 'sh /tmp/s | sh /tmp/s' > /tmp/s`);
    expect((await world.run(['sh', '/tmp/s'])).err).toContain("can't fork");
    expect(world.machine.running).toBe(0);
  });

  it('and stops when it has to', async () => {
    const world = new ShellWorld();
    const stop = new AbortController();
    const running = world.run(['sh', '-c', 'sleep 1000; echo no'], { signal: stop.signal });
    stop.abort();
    expect(await running).toMatchObject({ code: 130, out: '' });
  });
});

describe('the parser', () => {
  it('takes any text for a program or says that it is none', () => {
    const alphabet = fc.constantFrom(...Array.from(`ab1 |&;<>!"'\\$\{}()#\n=~@?*\``));
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 40 }), (characters) => {
        try {
          parseProgram(characters.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxFault);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives a quoted text back as it was', async () => {
    const world = new ShellWorld();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 30 }), async (text) => {
        const quoted = `'${text.replaceAll("'", `'\\''`)}'`;
        expect((await world.sh(`echo -n ${quoted}`)).out).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it.each(["echo 'a", 'echo "a', 'echo a |', 'true &&', 'echo a\\'])('asks for more of %j', (text) => {
    expect(() => parseProgram(text)).toThrow(IncompleteText);
  });
});
