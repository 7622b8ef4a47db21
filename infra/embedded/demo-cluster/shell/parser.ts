/**
 * Reads the text of a shell program into steps (syntax.ts).
 */
import { limits } from '../limits.ts';
import { type Token, tokensOf } from './lexer.ts';
import { type Command, IncompleteText, type Redirect, type Step, SyntaxFault, type Word } from './syntax.ts';

const reserved = ['if', 'then', 'else', 'elif', 'fi', 'for', 'while', 'until', 'do', 'done', 'case', 'esac', '{', '}'];
const redirectKinds = { '<': 'read', '>': 'write', '>>': 'append', '>&': 'copy' } as const;

/**
 * The steps of a program.
 * @throws SyntaxFault for what is no program, IncompleteText when more text may make it one
 */
export function parseProgram(text: string): Step[] {
  const parser = new Parser(tokensOf(text));
  return parser.steps();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    let when: Step['when'] = 'always';
    while (this.#skip('\n') || this.#at < this.#tokens.length) {
      if (this.#at >= this.#tokens.length) break;
      steps.push({ when, ...this.#pipeline() });
      when = this.#joiner();
    }
    if (when !== 'always') throw new IncompleteText();
    return steps;
  }

  /** What stands between two pipelines; the end of the text counts as a semicolon. */
  #joiner(): Step['when'] {
    if (this.#takeOperator('&&')) return 'succeeded';
    if (this.#takeOperator('||')) return 'failed';
    if (this.#at < this.#tokens.length && !this.#takeOperator(';') && !this.#takeOperator('\n'))
      throw this.#unexpected();
    return 'always';
  }

  #pipeline(): Omit<Step, 'when'> {
    let negated = false;
    while (this.#takeBang()) negated = !negated;
    const commands = [this.#command()];
    while (this.#takeOperator('|')) {
      this.#skip('\n');
      if (this.#at >= this.#tokens.length) throw new IncompleteText();
      commands.push(this.#command());
    }
    if (commands.length > limits.pipelineCommands)
      throw new SyntaxFault(`syntax error: a pipeline of more than ${limits.pipelineCommands} commands`);
    return { negated, commands };
  }

  #command(): Command {
    const command: Command = { assignments: [], words: [], redirects: [] };
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token.kind === 'operator') break;
      this.#at += 1;
      if (token.kind === 'redirect') command.redirects.push(this.#redirect(token));
      else this.#addWord(command, token.word);
    }
    const { assignments, words, redirects } = command;
    if (assignments.length + words.length + redirects.length === 0) throw this.#unexpected();
    return command;
  }

  #addWord(command: Command, word: Word): void {
    const text = literal(word);
    if (command.words.length === 0) {
      const assigned = assignmentIn(word);
      if (assigned !== undefined) return void command.assignments.push(assigned);
      if (reserved.includes(text ?? ''))
        throw new SyntaxFault(`syntax error: "${text}" is more than the shell of this stand-in can do`);
    }
    command.words.push(word);
  }

  #redirect({ descriptor, operator }: Token & { kind: 'redirect' }): Redirect {
    const target = this.#tokens[this.#at];
    if (target?.kind !== 'word') throw this.#unexpected();
    this.#at += 1;
    return { descriptor, kind: redirectKinds[operator], target: target.word };
  }

  #takeBang(): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || literal(token.word) !== '!') return false;
    this.#at += 1;
    return true;
  }

  #takeOperator(operator: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'operator' || token.operator !== operator) return false;
    this.#at += 1;
    return true;
  }

  #skip(operator: string): boolean {
    let skipped = false;
    while (this.#takeOperator(operator)) skipped = true;
    return skipped;
  }

  #unexpected(): SyntaxFault {
    const token = this.#tokens[this.#at];
    const shown = token === undefined || token.kind === 'word' ? 'newline' : token.operator.replace('\n', 'newline');
    return new SyntaxFault(`syntax error: unexpected "${shown}"`);
  }
}

/** The text of a word without quotes and variables; undefined for another. */
function literal(word: Word): string | undefined {
  const [only] = word;
  return word.length === 1 && only?.kind === 'text' && !only.quoted ? only.text : undefined;
}

function assignmentIn(word: Word): { name: string; value: Word } | undefined {
  const [first, ...rest] = word;
  if (first?.kind !== 'text' || first.quoted) return undefined;
  const found = /^([A-Za-z_]\w*)=(.*)$/s.exec(first.text);
  if (found === null) return undefined;
  return { name: found[1] ?? '', value: [{ kind: 'text', text: found[2] ?? '', quoted: true }, ...rest] };
}
