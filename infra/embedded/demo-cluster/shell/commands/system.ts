/**
 * Programs that tell about the simulated container and its time: env, printenv, id, whoami, hostname, uname, ps, date,
 * sleep, true, false, tty, stty. Everything is UTC, everybody is root.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Interrupted } from '../../byte-queue.ts';
import { parseOptions } from '../options.ts';
import { complain, print, type Process } from '../process.ts';

export const succeed = async (): Promise<number> => 0;
export const failed = async (): Promise<number> => 1;

export async function env({ environment, stdout }: Process): Promise<number> {
  await print(stdout, [...environment].map(([name, value]) => `${name}=${value}\n`).join(''));
  return 0;
}

export async function printenv(process: Process): Promise<number> {
  const [name] = process.args;
  if (name === undefined) return env(process);
  const value = process.environment.get(name);
  if (value === undefined) return 1;
  await print(process.stdout, `${value}\n`);
  return 0;
}

export async function id({ args, stdout }: Process): Promise<number> {
  const short = args[0] === '-u' || args[0] === '-g' ? '0' : args[0] === '-un' ? 'root' : undefined;
  await print(stdout, `${short ?? 'uid=0(root) gid=0(root) groups=0(root)'}\n`);
  return 0;
}

export async function whoami({ stdout }: Process): Promise<number> {
  await print(stdout, 'root\n');
  return 0;
}

export async function hostname({ machine, stdout }: Process): Promise<number> {
  await print(stdout, `${machine.hostname}\n`);
  return 0;
}

export async function uname(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'asnrvm');
  if (typeof options === 'string') return complain(process, options);
  const parts = { s: 'Linux', n: process.machine.hostname, r: 'stand-in', v: '#1 nothing-runs-here', m: 'x86_64' };
  const asked = Object.entries(parts).filter(([letter]) => options.has('a') || options.has(letter));
  await print(process.stdout, `${asked.length === 0 ? parts.s : asked.map(([, part]) => part).join(' ')}\n`);
  return 0;
}

export async function ps({ machine, name, stdout }: Process): Promise<number> {
  const line = (pid: number, command: string): string => `${String(pid).padStart(5)} root      0:00 ${command}\n`;
  await print(stdout, `  PID USER      TIME COMMAND\n${line(1, `${machine.container} (simulated)`)}${line(2, name)}`);
  return 0;
}

export async function date(process: Process): Promise<number> {
  const options = parseOptions(process.args, 'u');
  if (typeof options === 'string') return complain(process, options);
  const now = process.machine.now();
  const [format] = options.operands;
  const [week = '', day = '', month = '', year = '', time = ''] = now.toUTCString().replace(',', '').split(' ');
  if (format === undefined) {
    await print(process.stdout, `${week} ${month} ${day.replace(/^0/, ' ')} ${time} UTC ${year}\n`);
    return 0;
  }
  if (!format.startsWith('+')) return complain(process, 'cannot set date: this is a stand-in');
  const fields: Record<string, string> = { ...dateFields(now), T: time, a: week, b: month, Z: 'UTC', '%': '%' };
  await print(
    process.stdout,
    `${format.slice(1).replaceAll(/%([A-Za-z%])/g, (all, letter: string) => fields[letter] ?? all)}\n`,
  );
  return 0;
}

export async function sleep(process: Process): Promise<number> {
  const units = { s: 1, m: 60, h: 3600, d: 86_400 };
  let seconds = 0;
  for (const argument of process.args) {
    const [, number, unit = 's'] = /^(\d+(?:\.\d+)?|infinity)([smhd]?)$/.exec(argument) ?? [];
    if (number === undefined) return complain(process, `invalid number '${argument}'`);
    seconds += (number === 'infinity' ? Number.POSITIVE_INFINITY : Number(number)) * (units[unit as 's'] ?? 1);
  }
  if (process.args.length === 0) return complain(process, 'missing operand');
  const untilMs = Date.now() + seconds * 1000;
  try {
    // A timer takes no more than 31 bits of milliseconds.
    for (let left = seconds * 1000; left > 0; left = untilMs - Date.now()) {
      await delay(Math.min(left, 0x7fffffff), undefined, { signal: process.signal });
    }
  } catch {
    throw new Interrupted();
  }
  return 0;
}

export async function tty({ terminal, stdout }: Process): Promise<number> {
  await print(stdout, terminal === undefined ? 'not a tty\n' : '/dev/pts/0\n');
  return terminal === undefined ? 1 : 0;
}

export async function stty(process: Process): Promise<number> {
  if (process.terminal === undefined) return complain(process, 'standard input: Not a tty');
  if (process.args[0] !== 'size') return complain(process, `only 'stty size' is known in this stand-in`);
  const { rows, columns } = await process.terminal.size();
  await print(process.stdout, `${rows} ${columns}\n`);
  return 0;
}

function dateFields(now: Date): Record<string, string> {
  const iso = now.toISOString();
  const [Y = '', m = '', d = '', H = '', M = '', S = ''] = iso.split(/[-T:.]/);
  return { Y, m, d, H, M, S, F: iso.slice(0, 10), s: String(Math.floor(now.getTime() / 1000)) };
}
