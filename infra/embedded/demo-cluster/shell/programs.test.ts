import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../byte-queue.ts';
import { Collector, inputOf, ShellWorld } from '../testing/shell-world.ts';

const sh = (text: string, stdin: string | Buffer = '') => new ShellWorld().sh(text, stdin);

describe('programs that pass text on', () => {
  it.each([
    ['head -n 2', 'a\nb\n'],
    ['head -1', 'a\n'],
    ['head -c 3', 'a\nb'],
    ['tail -n 2', 'c\nd\n'],
    ['tail -n +3', 'c\nd\n'],
    ['tail -c 3', '\nd\n'],
    ['tail -c +5', 'c\nd\n'],
    ['tail -n 0', ''],
    ['tail -n 99', 'a\nb\nc\nd\n'],
    ['wc -l', '4\n'],
    ['wc', '       4       4       8\n'],
    ['cat -', 'a\nb\nc\nd\n'],
    ['tee /tmp/t | cat - /tmp/t | wc -c', '16\n'],
  ])('%s', async (command, expected) => {
    expect((await sh(command, 'a\nb\nc\nd\n')).out).toBe(expected);
  });

  it('tail knows a last line without an end', async () => {
    expect((await sh('tail -n 1', 'a\nb')).out).toBe('b');
    expect((await sh('tail -n 1', 'a')).out).toBe('a');
  });

  it('sha256sum sums', async () => {
    const data = randomBytes(300_000);
    const sum = createHash('sha256').update(data).digest('hex');
    expect((await sh('tee /tmp/x | sha256sum; sha256sum /tmp/x', data)).out).toBe(`${sum}  -\n${sum}  /tmp/x\n`);
  });

  it('go on after a file that is missing', async () => {
    expect(await sh('cat /none /etc/hostname /etc')).toEqual({
      code: 1,
      out: 'web-1\n',
      err: 'cat: /none: No such file or directory\ncat: /etc: Is a directory\n',
    });
  });
});

describe('programs about files', () => {
  it('ls lists', async () => {
    const world = new ShellWorld();
    await world.sh('mkdir -p /w/sub; echo hi > /w/b; touch /w/.hidden /w/a');
    expect((await world.sh('ls /w')).out).toBe('a\nb\nsub\n');
    expect((await world.sh('cd /w; ls -a')).out).toBe('.\n..\n.hidden\na\nb\nsub\n');
    expect((await world.sh('ls -l /w')).out).toBe(
      '-rw-r--r--    1 root     root             0 Jan  2 15:04 a\n' +
        '-rw-r--r--    1 root     root             3 Jan  2 15:04 b\n' +
        'drwxr-xr-x    2 root     root          4096 Jan  2 15:04 sub\n',
    );
    expect((await world.sh('ls /w/sub /etc/hostname /none')).code).toBe(1);
  });

  it('mkdir, touch and rm make and take away', async () => {
    const world = new ShellWorld();
    expect((await world.sh('mkdir /a/b')).err).toBe("mkdir: '/a/b': No such file or directory\n");
    expect((await world.sh('mkdir -p /a/b && rm /a')).err).toBe("rm: '/a': Is a directory\n");
    expect((await world.sh('rm -r /a && rm -f /a && ls /a')).code).toBe(1);
    expect((await world.sh('rm -rf /')).err).toBe("rm: '/': Device or resource busy\n");
    expect((await world.sh('ls -q')).err).toBe("ls: invalid option -- 'q'\n");
  });

  it.each([
    ['-d /etc', 0],
    ['-d /etc/hostname', 1],
    ['-f /etc/hostname', 0],
    ['-e /none', 1],
    ['! -e /none', 0],
    ['a = a', 0],
    ['a != a', 1],
    ['-x /bin/ls', 0],
    ['', 1],
    ['-q x', 2],
  ])('test %s', async (expression, code) => {
    expect((await sh(`test ${expression}`)).code).toBe(code);
    expect((await sh(`[ ${expression} ]`)).code).toBe(code);
  });
});

describe('programs about the container', () => {
  it.each([
    ['env', 'PATH=/bin\nHOME=/root\nLEVEL=info\n'],
    ['printenv LEVEL', 'info\n'],
    ['id', 'uid=0(root) gid=0(root) groups=0(root)\n'],
    ['whoami', 'root\n'],
    ['hostname', 'web-1\n'],
    ['uname -n', 'web-1\n'],
    ['uname -a', 'Linux web-1 stand-in #1 nothing-runs-here x86_64\n'],
    ['date', 'Fri Jan  2 15:04:05 UTC 2026\n'],
    ['date +%F_%T_%s_%%_%q', '2026-01-02_15:04:05_1767366245_%_%q\n'],
    ['sleep 0 0.01s', ''],
  ])('%s', async (command, expected) => {
    expect(await sh(command)).toMatchObject({ code: 0, out: expected });
  });

  it.each([
    ['tty', 1],
    ['stty size', 1],
    ['sleep x', 1],
    ['printenv NONE', 1],
    ['false', 1],
  ])('%s ends with %i', async (command, code) => {
    expect((await sh(command)).code).toBe(code);
  });
});

describe('tar', () => {
  const archived = async (world: ShellWorld, args: string[]): Promise<{ archive: Buffer; err: string }> => {
    const stdout = new Collector();
    const { err } = await world.run(['tar', ...args], { stdout });
    return { archive: stdout.bytes, err };
  };

  it('brings files from one container to another', async () => {
    const [one, other] = [new ShellWorld(), new ShellWorld()];
    const data = randomBytes(500_000);
    await one.sh('mkdir -p /data/sub; cat > /data/sub/file; echo x > /data/empty; cat /dev/null > /data/empty', data);
    const { archive, err } = await archived(one, ['cf', '-', '/data']);
    expect(err).toContain("removing leading '/'");
    const ran = await other.run(['tar', '-xmf', '-', '-C', '/tmp'], { stdin: inputOf(archive) });
    expect(ran).toEqual({ code: 0, out: '', err: '' });
    const sums = 'sha256sum < data/sub/file; ls data data/sub';
    expect((await other.sh(`cd /tmp; ${sums}`)).out).toBe((await one.sh(`cd /; ${sums}`)).out);
    expect((await other.run(['tar', 'tf', '-'], { stdin: inputOf(archive) })).out).toBe(
      'data/\ndata/empty\ndata/sub/\ndata/sub/file\n',
    );
  });

  it('keeps names that are long', async () => {
    const [one, other] = [new ShellWorld(), new ShellWorld()];
    const name = `/tmp/${'long-'.repeat(40)}`;
    await one.sh(`mkdir ${name}; echo deep > ${name}/${'n'.repeat(150)}`);
    const { archive } = await archived(one, ['cf', '-', '-C', '/tmp', '.']);
    await other.run(['tar', 'xf', '-', '-C', '/tmp'], { stdin: inputOf(archive) });
    expect((await other.sh(`cat ${name}/${'n'.repeat(150)}`)).out).toBe('deep\n');
  });

  it('says what does not fit, and unpacks the rest', async () => {
    const [one, small] = [new ShellWorld(), new ShellWorld(500_000)];
    await one.sh('mkdir /d; cat > /d/large; echo small > /d/small', 'x'.repeat(600_000));
    const { archive } = await archived(one, ['cf', '-', '/d']);
    const ran = await small.run(['tar', 'xf', '-'], { stdin: inputOf(archive) });
    expect(ran).toMatchObject({ code: 2, err: 'tar: d/large: No space left on device\n' });
  });

  it('says what is no archive, and what is missing', async () => {
    const noise = await new ShellWorld().run(['tar', 'xf', '-'], { stdin: inputOf(Buffer.alloc(2_000, 'x')) });
    expect(noise).toMatchObject({ code: 2 });
    expect(noise.err).toContain('does not look like a tar archive');
    const cut = await archived(new ShellWorld(), ['cf', '-', '/etc']);
    const half = await new ShellWorld().run(['tar', 'xf', '-'], { stdin: inputOf(cut.archive.subarray(0, 700)) });
    expect(half.code).toBe(2);
    expect(await sh('tar cf - /none > /dev/null')).toMatchObject({
      code: 2,
      err: expect.stringContaining('No such file'),
    });
    expect((await sh('tar xf - -C /none')).err).toContain('/none: cannot open: No such file or directory');
  });

  it('ends when nobody reads the archive, or the one who waits for it has to', async () => {
    const world = new ShellWorld();
    await world.sh('cat > /tmp/large', 'x'.repeat(900_000));
    expect((await world.sh('tar cf - /tmp 2> /dev/null | head -c 10 | wc -c')).out).toBe('10\n');
    const stop = new AbortController();
    const waiting = world.run(['tar', 'xf', '-'], { stdin: new ByteQueue(1), signal: stop.signal });
    stop.abort();
    expect((await waiting).code).toBe(130);
  });
});
