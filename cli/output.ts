/**
 * The output contract: stdout is the answer, stderr is everything else. On a terminal aligned columns, elsewhere the same columns with tabs;
 * JSON carries protobuf's names and one plural noun per list. Nothing from a server reaches a terminal with control characters.
 */
import stringWidth from 'string-width';
import { stringify } from 'yaml';
import type { CliContext } from './context.ts';
import { CliError, exitCodes, type Failure } from './failure.ts';
import { visible } from './text.ts';

export const formats = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

export type Column<T> = { readonly head: string; readonly value: (row: T) => string; readonly wide?: boolean };

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
  readonly heads?: boolean;
};

/** The format that was asked for. Throws a usage error naming the known ones. */
export function formatOf(text: string): Format {
  const format = formats.find((name) => name === text);
  if (format === undefined)
    throw new CliError(
      exitCodes.usage,
      `unknown output format '${visible(text)}'`,
      `use one of: ${formats.join(', ')}`,
    );
  return format;
}

/** Prints a list in the asked format. */
export function printList<T>(context: CliContext, listing: Listing<T>): void {
  const { format, rows, json, plural } = listing;
  switch (format) {
    case 'json':
    case 'yaml':
      return printObject(context, format, json);
    case 'jsonl':
      for (const item of (json[plural] as readonly unknown[]) ?? []) context.stdout.write(`${JSON.stringify(item)}\n`);
      return;
    case 'name':
      for (const row of rows) context.stdout.write(`${listing.nameOf(row)}\n`);
      return;
    case 'table':
    case 'wide':
      if (rows.length === 0) context.stderr.write(`${listing.empty}\n`);
      else
        context.stdout.write(
          table(rows, {
            columns: listing.columns.filter(({ wide }) => format === 'wide' || !wide),
            aligned: context.isTerminal,
            heads: listing.heads ?? true,
          }),
        );
      return;
    default:
      return format satisfies never;
  }
}

/** Prints one object as JSON or YAML. */
export function printObject(context: CliContext, format: Format, value: unknown): void {
  context.stdout.write(format === 'yaml' ? stringify(value) : `${JSON.stringify(value, null, 2)}\n`);
}

function table<T>(
  rows: readonly T[],
  { columns, aligned, heads }: { columns: readonly Column<T>[]; aligned: boolean; heads: boolean },
): string {
  const cells = [
    ...(heads ? [columns.map(({ head }) => head)] : []),
    ...rows.map((row) => columns.map(({ value }) => visible(value(row)))),
  ];
  if (!aligned) return cells.map((line) => `${line.join('\t')}\n`).join('');
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => stringWidth(line[index] ?? ''))));
  const pad = (cell: string, index: number): string => cell + ' '.repeat((widths[index] ?? 0) - stringWidth(cell));
  return cells.map((line) => `${line.map(pad).join('   ').trimEnd()}\n`).join('');
}

/** A failure on stderr: as words, or as JSON under `-o json`. */
export function printFailure(
  context: CliContext,
  failure: Failure,
  { json, debug }: { json: boolean; debug: boolean },
): void {
  if (json) {
    const { cause: _cause, ...shown } = failure;
    context.stderr.write(`${JSON.stringify({ error: shown })}\n`);
  } else {
    context.stderr.write(`error: ${visible(failure.what)}${failure.code === undefined ? '' : `   ${failure.code}`}\n`);
    if (failure.fix !== undefined) context.stderr.write(`  fix:  ${visible(failure.fix)}\n`);
    if (failure.help)
      context.stderr.write(
        `  help: ${visible(failure.help)}${failure.correlationId ? `   ref ${visible(failure.correlationId)}` : ''}\n`,
      );
  }
  if (debug && failure.cause instanceof Error) context.stderr.write(`${failure.cause.stack}\n`);
}
