/**
 * YAML nodes for kubeconfig files, which two versions of YAML must read alike: kubectl reads 1.1, where `yes`, `on` and `0x1f` are no texts. What could be
 * taken for anything but a text is written between quotes.
 */
import { Scalar, YAMLMap, YAMLSeq, type Node, type ScalarTag } from 'yaml';

/** Values of our stanzas; a text is always written so that YAML 1.1 reads a text. */
export type Value = string | boolean | readonly Value[] | { readonly [key: string]: Value };

/** The tag of nothing: `users:` with nothing behind it is no list and no text, and is written as it was. */
export const nothing: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  test: /^$/,
  identify: (value) => value === null,
  resolve: () => new Scalar(null),
  stringify: () => '',
};

/** The node of a value. */
export function nodeOf(value: Value): Node {
  if (typeof value === 'string') return textNode(value);
  if (typeof value === 'boolean') return wordNode(String(value));
  if (isList(value)) {
    const list = new YAMLSeq();
    list.items = value.map(nodeOf);
    return list;
  }
  const map = new YAMLMap();
  for (const [key, inner] of Object.entries(value)) map.set(new Scalar(key), nodeOf(inner));
  return map;
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

function wordNode(word: string): Scalar {
  const node = new Scalar(word);
  node.type = Scalar.PLAIN;
  return node;
}

/** The node of a text. */
export function textNode(text: string): Scalar {
  const node = new Scalar(text);
  if (!readsAsText.test(text)) node.type = Scalar.QUOTE_DOUBLE;
  return node;
}

/** What both versions of YAML take for a text without quotes. */
const readsAsText = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z/][\w@%+=./:-]*(?<!:)$/i;
