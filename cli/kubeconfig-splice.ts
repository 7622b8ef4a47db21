/**
 * Changes to the text of a YAML file at exactly one place: an item of a list put in, replaced or taken out, a value set. Everything around it stays as it
 * is, byte for byte, because it is never printed anew: comments, blank lines, quotes and indentation are the person's. Lists and mappings may be written
 * as blocks or, as in JSON, between brackets.
 */
import {
  Document,
  isMap,
  isScalar,
  isSeq,
  Scalar,
  visit,
  type YAMLMap,
  YAMLSeq,
  type Node,
  type Pair,
  type ParsedNode,
} from 'yaml';

/** The text and the document that was parsed from it with its source tokens. */
export type Source = { readonly text: string; readonly document: Document.Parsed<ParsedNode> };

type Splice = { readonly from: number; readonly to: number; readonly text: string };
type Range = readonly [start: number, valueEnd: number, nodeEnd: number];

/** The text with the item at the end of a list of the root, which is made when it is missing. */
export function withItem(source: Source, key: string, item: YAMLMap): string {
  const pair = pairOf(source, key);
  const list = pair?.value;
  if (pair === undefined) return withPair(source, key, listText(source, item));
  if (!isSeq(list) || list.items.length === 0) return inPlaceOfNothing(source, pair, item);
  const last = rangeOf(list.items.at(-1) as Node);
  if (list.flow) return spliced(source, [{ from: last[1], to: last[1], text: `, ${flowText(source, item)}` }]);
  const column = columnOf(source.text, dashOf(list, 0));
  return spliced(source, [inLines(source, last[1], blockText(source, item, column))]);
}

/** The text with another mapping in place of one that stands in a list. */
export function withItemReplaced(source: Source, old: YAMLMap, item: YAMLMap): string {
  const [from, to] = rangeOf(old);
  if (old.flow) return spliced(source, [{ from, to, text: flowText(source, item) }]);
  // The first line stands behind the dash.
  const text = indented(printed(source, item), columnOf(source.text, from)).trimStart();
  return spliced(source, [{ from, to, text }]);
}

/** The text without an item of a list; a list that becomes empty stays as `[]`. */
export function withoutItem(source: Source, key: string, item: Node): string {
  const pair = pairOf(source, key);
  const list = pair?.value;
  if (pair === undefined || !isSeq(list)) return source.text;
  const index = list.items.indexOf(item);
  const [start, end] = rangeOf(item);
  if (list.flow) {
    const before = index > 0 ? rangeOf(list.items[index - 1] as Node)[1] : start;
    const next = list.items[index + 1];
    const to = index === 0 && next !== undefined ? rangeOf(next as Node)[0] : end;
    return spliced(source, [{ from: before, to, text: '' }]);
  }
  const from = lineStart(source.text, dashOf(list, index));
  const removal = { from, to: lineEnd(source.text, end), text: '' };
  const colon = afterColon(pair);
  return spliced(source, list.items.length > 1 ? [removal] : [{ from: colon, to: colon, text: ' []' }, removal]);
}

/** The text with a value of the root set. */
export function withValue(source: Source, key: string, value: Scalar): string {
  const text = isFlow(source) ? flowText(source, value) : printed(source, value).trimEnd();
  const pair = pairOf(source, key);
  if (pair === undefined) return withPair(source, key, { block: ` ${text}\n`, flow: text });
  const [from, to] = rangeOf(pair.value as Node);
  if (from === to) return spliced(source, [{ from: afterColon(pair), to: afterColon(pair), text: ` ${text}` }]);
  // A block scalar takes its line break along.
  const end = source.text.slice(from, to).endsWith('\n') ? '\n' : '';
  return spliced(source, [{ from, to, text: text + end }]);
}

/** The text of a file that says nothing, with lines of its own at the end; what it holds of comments stays. */
export function withRoot({ text, document }: Source, lines: string): string {
  const [from, to] = document.contents === null ? [0, 0] : rangeOf(document.contents);
  const rest = text.slice(0, from) + text.slice(to);
  return `${rest.trim() === '' ? '' : rest.endsWith('\n') ? rest : `${rest}\n`}${lines}`;
}

type Texts = { readonly block: string; readonly flow: string };

function listText(source: Source, item: YAMLMap): Texts {
  if (isFlow(source)) return { block: '', flow: `[${flowText(source, item)}]` };
  const column = rootColumn(source) + (isIndented(source.text) ? 2 : 0);
  return { block: `\n${blockText(source, item, column)}`, flow: '' };
}

function withPair(source: Source, key: string, texts: Texts): string {
  const root = source.document.contents as YAMLMap;
  const last = root.items.at(-1);
  const end = last === undefined ? undefined : rangeOf((last.value ?? last.key) as Node)[1];
  if (isFlow(source)) {
    const at = end ?? rangeOf(root)[0] + 1;
    return spliced(source, [{ from: at, to: at, text: `${end === undefined ? '' : ', '}"${key}": ${texts.flow}` }]);
  }
  const text = `${' '.repeat(rootColumn(source))}${key}:${texts.block}`;
  return spliced(source, [inLines(source, end ?? source.text.length, text)]);
}

/** The list with the item, where `[]`, `null` or nothing stands: in block style on lines of its own. */
function inPlaceOfNothing(source: Source, pair: Pair, item: YAMLMap): string {
  const texts = listText(source, item);
  const [start, to] = rangeOf(pair.value as Node);
  if (isFlow(source)) return spliced(source, [{ from: start, to, text: texts.flow }]);
  const from = start === to ? start : afterColon(pair);
  return spliced(source, [{ from, to, text: '' }, inLines(source, to, texts.block.slice(1))]);
}

/** The item of a list as lines that begin at a column. */
function blockText(source: Source, item: YAMLMap, column: number): string {
  const list = new YAMLSeq();
  list.items = [item];
  return indented(printed(source, list), column);
}

// No regular expression: for `^` a line also begins behind U+2028, which may stand in a text.
const indented = (lines: string, column: number): string =>
  lines
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(column) + line))
    .join('\n');

/** On one line between brackets; what was added is quoted, so that JSON stays JSON. */
function flowText(source: Source, node: Node): string {
  visit(node, {
    Scalar: (_, scalar) => void (scalar.type ??= Scalar.QUOTE_DOUBLE),
    Collection: (_, collection) => void (collection.flow = true),
  });
  return printed(source, node).trimEnd();
}

function printed({ text }: Source, node: Node): string {
  const document = new Document(null, { schema: 'failsafe' });
  document.contents = node;
  // What stands before the item in the file stays there.
  node.commentBefore = null;
  node.spaceBefore = false;
  return document.toString({
    lineWidth: 0,
    indentSeq: isIndented(text),
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
}

/** Lines put in after the line in which something ends. */
function inLines({ text }: Source, after: number, lines: string): Splice {
  const at = lineEnd(text, after);
  const isOpen = at > 0 && text[at - 1] !== '\n';
  return { from: at, to: at, text: isOpen ? `\n${lines}` : lines };
}

function spliced({ text }: Source, splices: readonly Splice[]): string {
  const isCrLf = text.includes('\r\n');
  const ordered = splices.toSorted((a, b) => b.from - a.from);
  return ordered.reduce(
    (whole, { from, to, text: put }) =>
      whole.slice(0, from) + (isCrLf ? put.replaceAll('\n', '\r\n') : put) + whole.slice(to),
    text,
  );
}

function pairOf({ document }: Source, key: string): Pair | undefined {
  const root = document.contents;
  return isMap(root) ? root.items.find((pair) => isScalar(pair.key) && pair.key.value === key) : undefined;
}

function rangeOf(node: Node): Range {
  if (!node.range) throw new Error('a node without a place in the text');
  return node.range;
}

/** Where the dash of an item stands. */
function dashOf(list: YAMLSeq, index: number): number {
  const token = list.srcToken;
  const tokens = token?.type === 'block-seq' ? token.items[index]?.start : undefined;
  const dash = tokens?.find(({ type }) => type === 'seq-item-ind');
  if (!dash) throw new Error('an item of a block without a dash');
  return dash.offset;
}

/** The place behind the colon of a pair. */
function afterColon({ srcToken }: Pair): number {
  const colon = srcToken?.sep?.find(({ type }) => type === 'map-value-ind');
  if (!colon) throw new Error('a pair without a colon');
  return colon.offset + 1;
}

const isFlow = ({ document }: Source): boolean => isMap(document.contents) && document.contents.flow === true;
const rootColumn = ({ text, document }: Source): number =>
  document.contents === null ? 0 : columnOf(text, rangeOf(document.contents)[0]);
/** kubectl writes the items of a list below their key without indenting them. */
const isIndented = (text: string): boolean => /^ +- /m.test(text) && !/^- /m.test(text);
const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;
const columnOf = (text: string, at: number): number => at - lineStart(text, at);

/** The start of the next line, or `at` when that is the start of a line. */
function lineEnd(text: string, at: number): number {
  if (at === 0 || text[at - 1] === '\n') return at;
  const found = text.indexOf('\n', at);
  return found < 0 ? text.length : found + 1;
}
