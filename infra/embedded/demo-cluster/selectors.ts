/**
 * Label and field selectors: which objects a list, watch or deletion is about. Label selectors come as text in a
 * query (`app=web,tier!=db,env in (a,b),!canary`) or as an object in a spec; both become one predicate.
 */
import { type KubeObject, listAt, objectAt, textAt, valueAt } from './objects.ts';
import type { Resource } from './resources.ts';
import { badRequest } from './status.ts';

type Labels = Record<string, string>;
type Requirement = (labels: Labels) => boolean;

/** What a request selects, as one predicate. */
type Selection = (object: KubeObject) => boolean;

/**
 * The selection of a request's `labelSelector` and `fieldSelector`.
 * @throws ApiError 400 for a selector that cannot be read or a field that cannot be selected by
 */
export function selectionOf(query: URLSearchParams, resource: Resource): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', resource);
  return (object) =>
    labels.every((matches) => matches(object.metadata.labels ?? {})) && fields.every((matches) => matches(object));
}

/** Whether labels satisfy a `meta/v1` LabelSelector; one that is absent matches nothing. */
export function matchesSelector(selector: unknown, labels: Labels | undefined): boolean {
  if (selector === undefined) return false;
  const given = labels ?? {};
  const equal = Object.entries(objectAt(selector, 'matchLabels')).every(([key, value]) => given[key] === value);
  return equal && listAt(selector, 'matchExpressions').every((expression) => requirementOf(expression)(given));
}

/** A LabelSelector as the text a query carries; what `status.selector` of a Scale holds. */
export function selectorText(selector: unknown): string {
  const equal = Object.entries(objectAt(selector, 'matchLabels')).map(([key, value]) => `${key}=${String(value)}`);
  const expressions = listAt(selector, 'matchExpressions').map((expression) => {
    const key = textAt(expression, 'key');
    const values = `(${listAt(expression, 'values').join(',')})`;
    switch (textAt(expression, 'operator')) {
      case 'Exists':
        return key;
      case 'DoesNotExist':
        return `!${key}`;
      case 'NotIn':
        return `${key} notin ${values}`;
      default:
        return `${key} in ${values}`;
    }
  });
  return [...equal, ...expressions].join(',');
}

function requirementOf(expression: unknown): Requirement {
  const key = textAt(expression, 'key');
  const values = listAt(expression, 'values');
  switch (textAt(expression, 'operator')) {
    case 'In':
      return (labels) => key in labels && values.includes(labels[key]);
    case 'NotIn':
      return (labels) => !(key in labels) || !values.includes(labels[key]);
    case 'Exists':
      return (labels) => key in labels;
    case 'DoesNotExist':
      return (labels) => !(key in labels);
    default:
      return () => false;
  }
}

function parseLabelSelector(text: string): Requirement[] {
  // A comma inside parentheses separates values, outside it separates requirements.
  const parts = text.split(/,(?![^()]*\))/).map((part) => part.trim());
  return parts.filter(Boolean).map(parseRequirement);
}

function parseRequirement(text: string): Requirement {
  const set = /^([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(text);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return requirementOf({ key: set[1], operator: set[2] === 'in' ? 'In' : 'NotIn', values });
  }
  const equality = /^([\w./-]+)\s*(==?|!=)\s*([\w.-]*)$/.exec(text);
  if (equality !== null) {
    return requirementOf({ key: equality[1], operator: equality[2] === '!=' ? 'NotIn' : 'In', values: [equality[3]] });
  }
  const existence = /^(!?)\s*([\w./-]+)$/.exec(text);
  if (existence !== null) {
    return requirementOf({ key: existence[2], operator: existence[1] === '!' ? 'DoesNotExist' : 'Exists' });
  }
  throw badRequest(`unable to parse requirement: '${text}' is no label selector`);
}

function parseFieldSelector(text: string, resource: Resource): Selection[] {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  return parts.map((part) => {
    const match = /^\s*([\w.]+)\s*(==?|!=)\s*(.*?)\s*$/.exec(part);
    const [, path = '', operator, value = ''] = match ?? [];
    if (match === null) throw badRequest(`invalid field selector: '${part}'; can't understand it`);
    if (!['metadata.name', 'metadata.namespace', ...resource.selectable].includes(path))
      throw badRequest(`field label not supported: ${path}`);
    const segments = path.split('.');
    return (object) => (fieldText(valueAt(object, ...segments)) === value) === (operator !== '!=');
  });
}

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'boolean' || typeof value === 'number' ? `${value}` : '';
}
