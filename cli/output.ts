/**
 * The output contract: stdout is the answer, stderr is everything else. On a terminal aligned columns, elsewhere the same columns with tabs;
 * JSON carries protobuf's names and one plural noun per list. Nothing from a server reaches a terminal with control characters.
 */
import type { CliContext } from './context.ts';
import { CliError, exitCodes, type Failure } from './failure.ts';
import { paint } from './style.ts';
import type { Column } from './table.ts';
import { visible, visibleJson } from './text.ts';

export const formats = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

/** How a list is printed. `json` is the answer as REST JSON; `rows` are the same things typed. */
export type Listing<T> = {
  readonly format: Format;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly json: Readonly<Record<string, unknown>>;
  /** The plural noun that carries the rows in JSON. */
  readonly plural: string;
  readonly nameOf: (row: T) => string;
  /** Said on stderr when there are no rows. */
  readonly empty: string;
  readonly heads: boolean;
};

/** How one thing is printed. */
export type Answer = {
  readonly format: Format;
  readonly json: unknown;
  /** For `-o name`: `role/sre`. */
  readonly name: string;
  /** For people: lines, each with its end. */
  readonly text: string;
};

/** True for the name of a format. */
export const isFormat = (text: string): text is Format => (formats as readonly string[]).includes(text);

/** The format that was asked for. Throws a usage error naming the known ones. */
export function formatOf(text: string): Format {
  if (isFormat(text)) return text;
  throw new CliError(exitCodes.usage, `unknown output format '${visible(text)}'`, `use one of: ${formats.join(', ')}`);
}

/** Prints a list in the asked format. */
export async function printList<T>(context: CliContext, listing: Listing<T>): Promise<void> {
  const { format, rows, json, plural } = listing;
  switch (format) {
    case 'json':
    case 'yaml':
      context.stdout.write(await structured(format, json));
      return;
    case 'jsonl':
      for (const item of (json[plural] as readonly unknown[]) ?? []) context.stdout.write(`${visibleJson(item)}\n`);
      return;
    case 'name':
      for (const row of rows) context.stdout.write(`${visible(listing.nameOf(row))}\n`);
      return;
    case 'table':
    case 'wide':
      if (rows.length === 0) context.stderr.write(`${listing.empty}\n`);
      else {
        const { table } = await import('./table.ts');
        context.stdout.write(
          await table(rows, {
            columns: listing.columns.filter(({ wide }) => format === 'wide' || !wide),
            heads: listing.heads,
            aligned: context.isTerminal,
            width: format === 'wide' ? Number.POSITIVE_INFINITY : context.columns,
            color: context.color.stdout,
          }),
        );
      }
      return;
    default:
      return format satisfies never;
  }
}

/** Prints one thing in the asked format. */
export async function printAnswer(context: CliContext, { format, json, name, text }: Answer): Promise<void> {
  if (format === 'table' || format === 'wide') context.stdout.write(text);
  else if (format === 'name') context.stdout.write(`${visible(name)}\n`);
  else context.stdout.write(await structured(format, json));
}

async function structured(format: 'json' | 'jsonl' | 'yaml', value: unknown): Promise<string> {
  if (format !== 'yaml') return `${visibleJson(value, format === 'json' ? 2 : 0)}\n`;
  const { visibleYaml } = await import('./yaml.ts');
  return visibleYaml(value);
}

/** A failure on stderr: as words, or as JSON under `-o json`. */
export function printFailure(
  context: CliContext,
  failure: Failure,
  { json, debug }: { json: boolean; debug: boolean },
): void {
  const { what, cause, ...rest } = failure;
  const say = (tone: 'bad' | 'quiet', label: string, text: string): boolean =>
    context.stderr.write(`${paint(context.color.stderr, tone, label)} ${text}\n`);
  if (json) context.stderr.write(`${visibleJson({ error: { message: what, ...rest } })}\n`);
  else {
    say('bad', 'error:', visible(what) + (failure.code === undefined ? '' : `   ${visible(failure.code)}`));
    if (failure.fix !== undefined) say('quiet', '  fix: ', visible(failure.fix));
    if (failure.help !== undefined) say('quiet', '  help:', visible(failure.help));
    if (failure.correlationId !== undefined) say('quiet', '  ref: ', visible(failure.correlationId));
  }
  if (debug && cause instanceof Error) {
    for (const line of (cause.stack ?? '').split('\n')) context.stderr.write(`${visible(line)}\n`);
  }
}
