/** YAML for `-o yaml`: what a terminal would obey is escaped, as in JSON. */
import { Document, Scalar, visit } from 'yaml';
import { visible } from './text.ts';

/** The value as YAML that parses to the same value and holds no control character but line breaks. */
export function visibleYaml(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_, node) {
      // Escapes are known between double quotes only.
      if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
  return text
    .split('\n')
    .map((line) => visible(line))
    .join('\n');
}
