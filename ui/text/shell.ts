/**
 * Words put into a command line that a person will paste. A name that somebody else chose must never become more than one word,
 * in either shell; and a command never holds a secret.
 */
import { visible } from './untrusted.ts';

export type Shell = 'posix' | 'powershell';

// What both shells take as part of a word. A leading `-` would be a flag and `~` a home, so those are quoted or refused by position.
const plain = /^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$/;
const plainPowershell = /^[A-Za-z0-9_./:+=][A-Za-z0-9_./:+=-]*$/;

/** One word as the shell takes it for exactly one. */
export function quoted(word: string, shell: Shell = 'posix'): string {
  // A control character cannot be pasted as what it is: it is named instead, and the command will then rightly not match.
  const safe = visible(word);
  if (shell === 'posix') return plain.test(safe) ? safe : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
  // PowerShell takes the curly quotes for quotes as well.
  return plainPowershell.test(safe) ? safe : `'${safe.replaceAll(/['‘’‚‛]/g, '$&$&')}'`;
}

/** A part of a command: written by us and taken as it is, or a value from elsewhere. */
export type CommandPart = string | { readonly value: string };

/** A command line for the shell: texts of ours as they are, values quoted. */
export function commandLine(parts: readonly CommandPart[], shell: Shell = 'posix'): string {
  return parts.map((part) => (typeof part === 'string' ? part : quoted(part.value, shell))).join(' ');
}
