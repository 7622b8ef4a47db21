/**
 * Reads what a client tells about the size of its terminal: JSON objects one after the other, cut anywhere.
 */
import { isJsonObject, numberAt } from '../objects.ts';
import type { TerminalSize } from '../shell/terminal.ts';

/** An object that is not closed after so many characters is none. */
const longest = 256;

export class SizeReader {
  #rest = '';

  /** The sizes that a piece completes; what is no size is passed over. */
  read(chunk: Buffer): TerminalSize[] {
    const pieces = (this.#rest + chunk.toString('latin1')).split('}');
    this.#rest = (pieces.pop() ?? '').slice(0, longest);
    return pieces.map((piece) => sizeIn(`${piece}}`)).filter((size) => size !== undefined);
  }
}

function sizeIn(text: string): TerminalSize | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const [columns, rows] = [numberAt(value, 'Width'), numberAt(value, 'Height')];
    const fits = [columns, rows].every((number) => Number.isInteger(number) && number >= 0 && number <= 65_535);
    return isJsonObject(value) && fits ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}
