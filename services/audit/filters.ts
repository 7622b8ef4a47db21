/**
 * What may be asked of the audit: each filter is checked here, once, and refused with `VALIDATION_ERROR` and its field. A filter
 * that was given is never dropped, because an answer must not be wider than the question (ES-07).
 */
import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { mostCounted, type AuditFilters, type AuditQuery } from '@clustral/projections/audit/query.ts';
import { searchedWords } from '@clustral/projections/audit/words.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { eventCatalogue } from '@clustral/schemas/events/catalogue.ts';
import type { ListAuditEventsRequest } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';

const defaultPageSize = 50;
const largestPageSize = 200;
const longest = { user: 320, text: 200 } as const;

const entries = Object.values(eventCatalogue);
const categories = new Set(entries.map(({ category }) => category as string));
const codes = new Set(entries.map(({ code }) => code));
const severities = new Set(['Info', 'Warning', 'Error']);

const idForm = /^[A-Za-z0-9._-]{1,128}$/;

/** The query, and the page as it is told back: 0 when a cursor was given. */
export type Asked = { readonly query: AuditQuery; readonly page: number; readonly pageSize: number };

/** Throws `VALIDATION_ERROR` naming the field. */
export function parseAuditRequest(request: ListAuditEventsRequest): Asked {
  const filters = { ...wordFilters(request), ...idFilters(request), ...timeFilters(request) };
  const pageSize = request.pageSize ?? defaultPageSize;
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > largestPageSize)
    throw invalid('pageSize', `A page holds 1 to ${largestPageSize} events, not ${pageSize}.`);
  // A cursor wins over a page number, which must make sense all the same.
  const skip = skipOf(request.page ?? 1, pageSize);
  if (request.pageToken !== '')
    return { query: { filters, limit: pageSize, after: request.pageToken }, page: 0, pageSize };
  return { query: { filters, limit: pageSize, skip }, page: request.page ?? 1, pageSize };
}

function skipOf(page: number, pageSize: number): number {
  if (!Number.isInteger(page) || page < 1) throw invalid('page', `Pages are counted from 1, not from ${page}.`);
  const skip = (page - 1) * pageSize;
  if (skip < mostCounted) return skip;
  throw invalid(
    'page',
    `Page numbers reach the first ${mostCounted} events. Go on with 'pageToken', or narrow the search.`,
  );
}

function wordFilters({ category, code, severity, user, text }: ListAuditEventsRequest): AuditFilters {
  if (user.length > longest.user) throw invalid('user', `'user' is longer than ${longest.user} characters.`);
  if (text.length > longest.text) throw invalid('text', `'text' is longer than ${longest.text} characters.`);
  if (text !== '' && searchedWords(text) === undefined)
    throw invalid('text', "'text' holds no word: write at least two letters or digits.");
  return {
    ...oneOf('category', category, categories),
    ...oneOf('code', code, codes),
    ...oneOf('severity', severity, severities),
    ...given('user', user),
    ...given('text', text),
  };
}

function idFilters(request: ListAuditEventsRequest): AuditFilters {
  return {
    ...given('clusterId', idOf('clusterId', request.clusterId)),
    ...given('resourceId', idOf('resourceId', request.resourceId)),
    ...given('correlationId', idOf('correlationId', request.correlationId)),
    ...given('accessRequestId', idOf('requestId', request.requestId)),
  };
}

function timeFilters({ from, to }: ListAuditEventsRequest): AuditFilters {
  const fromAt = instantOf('from', from);
  const toAt = instantOf('to', to);
  if (fromAt !== undefined && toAt !== undefined && fromAt > toAt)
    throw invalid('from', "'from' is later than 'to': nothing lies between them.");
  return { ...(fromAt === undefined ? {} : { fromAt }), ...(toAt === undefined ? {} : { toAt }) };
}

function instantOf(field: string, timestamp: Timestamp | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  const ms = timestampMs(timestamp);
  if (Number.isNaN(new Date(ms).getTime()))
    throw invalid(field, `'${field}' is no instant between the years 1 and 9999.`);
  return ms;
}

/** An id as it is stored: a UUID in lower case, anything else as it came. */
function idOf(field: string, text: string): string {
  if (text !== '' && !idForm.test(text))
    throw invalid(field, `${JSON.stringify(text.slice(0, 60))} cannot be an id: use one that an event shows.`);
  return field === 'correlationId' ? text : text.toLowerCase();
}

function oneOf(field: string, word: string, words: ReadonlySet<string>): AuditFilters {
  if (word === '' || words.has(word)) return given(field, word);
  const known = words.size > 10 ? 'See the list of event codes.' : `It is one of ${[...words].join(', ')}.`;
  throw invalid(field, `There is no ${field} ${JSON.stringify(word.slice(0, 60))}. ${known}`);
}

const given = (field: string, text: string): AuditFilters => (text === '' ? {} : { [field]: text });

const invalid = (field: string, message: string): Refusal => new Refusal('VALIDATION_ERROR', message, { field });
