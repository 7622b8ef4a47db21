/**
 * What the admin API takes as input: names, texts, labels, groups, reviewers, pages. Parsed here once, refused with
 * `VALIDATION_ERROR` and the field's name; behind it nobody checks again.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { isUuid } from '@clustral/schemas/ids.ts';

const limits = {
  description: 1_024,
  labels: 64,
  labelKey: 128,
  labelValue: 256,
  groups: 64,
  group: 253,
  page: 200,
  pageByDefault: 100,
  filter: 320,
  reason: 1_000,
  reviewers: 20,
  email: 254,
} as const;

const nameForm = /^[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?$/;
const labelKeyForm = /^[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?$/;
// Not what every mail server takes, but enough to see that somebody typed something else.
const emailForm = /^[^\s@]+@[^\s@]+$/;

/** The name of a cluster or role: 1 to 63 of `a-z 0-9 - .`, a letter or digit at both ends. */
export function parseName(text: string): string {
  if (nameForm.test(text)) return text;
  throw invalid(
    'name',
    `${shown(text)} cannot be a name: 1 to 63 characters of a-z, 0-9, '-' and '.', beginning and ending with a letter or digit.`,
  );
}

/** A description: at most 1,024 characters, no control characters. */
export function parseDescription(text: string): string {
  if (text.length > limits.description)
    throw invalid('description', `The description is longer than ${limits.description} characters.`);
  if (!isPlain(text)) throw invalid('description', 'The description holds control characters.');
  return text;
}

/** Labels: at most 64, keys of up to 128 and values of up to 256 characters. */
export function parseLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  if (entries.length > limits.labels) throw invalid('labels', `There are more than ${limits.labels} labels.`);
  for (const [key, value] of entries) {
    if (key.length > limits.labelKey || !labelKeyForm.test(key)) {
      throw invalid(
        'labels',
        `${shown(key)} cannot be a label: 1 to ${limits.labelKey} characters of A-Z, a-z, 0-9, '-', '_', '.' and '/', beginning and ending with a letter or digit.`,
      );
    }
    if (value.length > limits.labelValue || !isPlain(value)) {
      throw invalid(
        'labels',
        `The value of label '${key}' is longer than ${limits.labelValue} characters or holds control characters.`,
      );
    }
  }
  return Object.fromEntries(entries);
}

/** Names of labels: at most 64 of up to 128 characters. Whether there are such labels is not asked. */
export function parseLabelNames(field: string, names: readonly string[]): readonly string[] {
  if (names.length > limits.labels) throw invalid(field, `There are more than ${limits.labels} names of labels.`);
  const wrong = names.find((name) => name.length > limits.labelKey || !labelKeyForm.test(name));
  if (wrong !== undefined) throw invalid(field, `${shown(wrong)} cannot be the name of a label.`);
  return names;
}

/**
 * Kubernetes groups of a role, kept exactly as given (PX-14). `system:masters` is the one group of Kubernetes' own
 * allowed.
 */
export function parseGroups(groups: readonly string[]): readonly string[] {
  if (groups.length === 0 || groups.length > limits.groups)
    throw invalid('k8sGroups', `A role has 1 to ${limits.groups} Kubernetes groups; these are ${groups.length}.`);
  for (const group of groups) {
    const problem = problemOf(group);
    if (problem) throw invalid('k8sGroups', `${shown(group)} cannot be a Kubernetes group: ${problem}.`);
  }
  if (new Set(groups).size < groups.length) throw invalid('k8sGroups', 'A Kubernetes group is named twice.');
  return [...groups];
}

function problemOf(group: string): string | undefined {
  if (group === '' || group.length > limits.group) return `it must have 1 to ${limits.group} characters`;
  if (!isPlain(group)) return 'it holds control characters';
  // A header would lose it, and with it be another group.
  if (group.trim() !== group) return 'it begins or ends with a blank';
  if (group !== 'system:masters' && group.toLowerCase().startsWith('system:'))
    return "groups beginning with 'system:' belong to Kubernetes, except 'system:masters'";
  return undefined;
}

/** The id of an access request. */
export function parseAccessRequestId(text: string): string {
  if (isUuid(text)) return text.toLowerCase();
  throw invalid('id', `${shown(text)} is not the id of an access request: it must be a UUID of 36 characters.`);
}

/** A reason, which may be empty: at most 1,000 characters, no control characters. */
export function parseReason(text: string): string {
  if (text.length > limits.reason) throw invalid('reason', `The reason is longer than ${limits.reason} characters.`);
  if (!isPlain(text)) throw invalid('reason', 'The reason holds control characters; write it in one line.');
  return text;
}

/** Whom a requester suggests: at most 20 e-mail addresses. Nobody looks up whose they are (JT-10). */
export function parseReviewerEmails(emails: readonly string[]): readonly string[] {
  const field = 'suggestedReviewerEmails';
  if (emails.length > limits.reviewers)
    throw invalid(field, `At most ${limits.reviewers} reviewers can be suggested; these are ${emails.length}.`);
  for (const email of emails) {
    if (email.length > limits.email || !isPlain(email) || !emailForm.test(email))
      throw invalid(field, `${shown(email)} is not an e-mail address of at most ${limits.email} characters.`);
  }
  return [...emails];
}

/** Which page, as the read models take it. */
export function parsePage({ pageSize, pageToken }: { pageSize: number; pageToken: string }): {
  limit: number;
  after?: string;
} {
  if (pageSize < 0 || pageSize > limits.page)
    throw invalid('pageSize', `A page holds 1 to ${limits.page} entries; ${pageSize} is neither.`);
  return { limit: pageSize || limits.pageByDefault, ...(pageToken === '' ? {} : { after: pageToken }) };
}

/** A filter for exactly this text; nothing when it is empty. */
export function parseFilter(field: string, text: string): { readonly name?: string } {
  if (text.length > limits.filter) throw invalid(field, `'${field}' is longer than ${limits.filter} characters.`);
  return text === '' ? {} : { name: text };
}

const invalid = (field: string, message: string): Refusal => new Refusal('VALIDATION_ERROR', message, { field });

const isPlain = (text: string): boolean => text.isWellFormed() && !/\p{Cc}/u.test(text);

const shown = (text: string): string => JSON.stringify(text.slice(0, 60));
