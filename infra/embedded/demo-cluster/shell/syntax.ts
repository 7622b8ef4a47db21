/**
 * The shell's language as data: a small part of POSIX sh (XCU chapter 2). Lists of pipelines of simple commands, with
 * redirections, assignments, quotes and variables; no loops, conditions, functions or substitutions of commands.
 */

/** A piece of a word, as written or as the value of a variable. */
export type WordPart =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'variable'; name: string; quoted: boolean };

export type Word = readonly WordPart[];

export interface Redirect {
  descriptor: 0 | 1 | 2;
  kind: 'read' | 'write' | 'append' | 'copy';
  /** A file, or the descriptor to copy. */
  target: Word;
}

export interface Command {
  assignments: { name: string; value: Word }[];
  words: Word[];
  redirects: Redirect[];
}

/** A pipeline, and when it runs: always, or after what came before has succeeded or failed. */
export interface Step {
  when: 'always' | 'succeeded' | 'failed';
  /** Whether its exit code is turned round. */
  negated: boolean;
  commands: Command[];
}

/** The text is no program of this shell. */
export class SyntaxFault extends Error {}

/** The text ends in the middle; more of it may make it whole. */
export class IncompleteText extends SyntaxFault {
  constructor() {
    super('syntax error: unexpected end of file');
  }
}
