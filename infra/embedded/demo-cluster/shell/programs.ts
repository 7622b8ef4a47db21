/**
 * The programs of every simulated container, by the name they are called by.
 */
import { ls, mkdir, pwd, rm, test, touch } from './commands/files.ts';
import {
  date,
  env,
  failed,
  hostname,
  id,
  printenv,
  ps,
  sleep,
  stty,
  succeed,
  tty,
  uname,
  whoami,
} from './commands/system.ts';
import { tar } from './commands/tar.ts';
import { cat, echo, head, sha256sum, tail, tee, wc } from './commands/text.ts';
import type { Program } from './process.ts';
import { sh } from './sh.ts';

export const programs: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['[', test],
  ['ash', sh],
  ['bash', sh],
  ['cat', cat],
  ['date', date],
  ['echo', echo],
  ['env', env],
  ['false', failed],
  ['head', head],
  ['hostname', hostname],
  ['id', id],
  ['ls', ls],
  ['mkdir', mkdir],
  ['printenv', printenv],
  ['ps', ps],
  ['pwd', pwd],
  ['rm', rm],
  ['sh', sh],
  ['sha256sum', sha256sum],
  ['sleep', sleep],
  ['stty', stty],
  ['tail', tail],
  ['tar', tar],
  ['tee', tee],
  ['test', test],
  ['touch', touch],
  ['true', succeed],
  ['tty', tty],
  ['uname', uname],
  ['wc', wc],
  ['whoami', whoami],
]);
