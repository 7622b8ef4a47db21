/** Where this tool keeps its files. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `CLUSTRAL_HOME`, else `~/.clustral`: the same place on every system. */
export function homeOf(env: Readonly<Record<string, string | undefined>>): string {
  return env['CLUSTRAL_HOME'] || join(env['HOME'] || homedir(), '.clustral');
}
