/**
 * Finds a key that an object of a JSON text names twice. RFC 8259 (section 4) leaves to each reader which of the two counts, so two
 * readers of one body could understand it differently (GW-13). It is no parser: what is not JSON it leaves to whoever parses it.
 */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openObject = 0x7b;
const closeObject = 0x7d;
const openArray = 0x5b;
const closeArray = 0x5d;

/** Deeper than this no reader of ours follows; the text is then for the parser to refuse. */
const deepest = 10_000;

/** The first key that is there twice in one object, in UTF-8 bytes of JSON; undefined when there is none. Time grows with the length only. */
export function repeatedKey(json: Buffer): string | undefined {
  // The keys of each open object, null for an open array.
  const open: (Set<string> | null)[] = [];
  let isKeyNext = false;
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case openObject:
      case openArray:
        if (open.length >= deepest) return undefined;
        isKeyNext = json[at] === openObject;
        open.push(isKeyNext ? new Set() : null);
        break;
      case closeObject:
      case closeArray:
        open.pop();
        isKeyNext = false;
        break;
      case comma:
        isKeyNext = open.at(-1) instanceof Set;
        break;
      case quote: {
        const end = endOfText(json, at);
        if (isKeyNext) {
          const key = textOf(json, at, end);
          const keys = open.at(-1);
          if (key === undefined || !keys) return undefined;
          if (keys.has(key)) return key;
          keys.add(key);
        }
        isKeyNext = false;
        at = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** Where the text ends that begins at `start`: its closing quote, or the end of everything. */
function endOfText(json: Buffer, start: number): number {
  for (let at = json.indexOf(quote, start + 1); at >= 0; at = json.indexOf(quote, at + 1)) {
    let before = at;
    while (json[before - 1] === backslash) before -= 1;
    // One after an odd number of backslashes is part of the text.
    if ((at - before) % 2 === 0) return at;
  }
  return json.length;
}

/** The text as a reader takes it: `"na\u006de"` is `name`. */
function textOf(json: Buffer, start: number, end: number): string | undefined {
  const written = json.toString('utf8', start + 1, end);
  if (!written.includes('\\')) return written;
  try {
    return JSON.parse(`"${written}"`) as string;
  } catch {
    // No JSON: whoever parses it says so.
    return undefined;
  }
}
