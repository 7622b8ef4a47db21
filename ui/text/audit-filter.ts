/**
 * What the audit log is filtered by: one form in the address, one as the API takes it, one as the command line tool takes it. Ranges that
 * are relative stay relative, so that a saved link shows the last hour and not that hour; pinning them is an act of its own.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ListAuditEventsRequestSchema } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { oneOf, text, type StateOf } from '../data/parameters.ts';
import type { CommandPart } from './shell.ts';

const minute = 60_000;
const spans = {
  '15m': 15 * minute,
  '1h': 60 * minute,
  '24h': 1_440 * minute,
  '7d': 10_080 * minute,
  '30d': 43_200 * minute,
} as const;
export type Range = keyof typeof spans | 'all' | 'custom';

export const ranges: readonly { readonly value: Range; readonly text: string }[] = [
  { value: '15m', text: 'Last 15 minutes' },
  { value: '1h', text: 'Last hour' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
  { value: 'all', text: 'All time' },
  { value: 'custom', text: 'From … to …' },
];

export const categories = ['access_requests', 'credentials', 'clusters', 'roles', 'auth', 'proxy', 'system'] as const;
export const severities = ['Info', 'Warning', 'Error'] as const;

/** The parameters of the page's address. */
export const auditShape = {
  q: text,
  category: oneOf(...categories),
  code: text,
  severity: oneOf(...severities),
  user: text,
  cluster: text,
  resource: text,
  correlation: text,
  request: text,
  range: oneOf<Range>('15m', '1h', '24h', '7d', '30d', 'all', 'custom'),
  from: text,
  to: text,
  sel: text,
};

export type AuditState = StateOf<typeof auditShape>;
export type AuditFilter = MessageInitShape<typeof ListAuditEventsRequestSchema>;

/** Filters besides the range: what "clear" takes off. */
export const filterNames = [
  'q',
  'category',
  'code',
  'severity',
  'user',
  'cluster',
  'resource',
  'correlation',
  'request',
] as const;
export type FilterName = (typeof filterNames)[number];

const usualRange: Range = '24h';

export function rangeOf(state: AuditState): Range {
  if (state.range) return state.range;
  return state.from || state.to ? 'custom' : usualRange;
}

/** Start and end in milliseconds; what is written wrongly is open. */
export function boundsOf(state: AuditState, now: number): { readonly from?: number; readonly to?: number } {
  const range = rangeOf(state);
  if (range === 'all') return {};
  if (range !== 'custom') return { from: now - spans[range] };
  const [from, to] = [millisOf(state.from), millisOf(state.to)];
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** An instant as the address has it: ISO 8601, UTC unless a zone is named. */
export function millisOf(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:\d\d)?$/.exec(written.trim());
  if (!match) return undefined;
  const at = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
  return Number.isNaN(at) ? undefined : at;
}

/** The question for the API. `now` is when it is asked, for relative ranges. */
export function auditQuestion(state: AuditState, now: number): AuditFilter {
  const { from, to } = boundsOf(state, now);
  return {
    text: state.q ?? '',
    category: state.category ?? '',
    code: state.code?.toUpperCase() ?? '',
    severity: state.severity ?? '',
    user: state.user ?? '',
    clusterId: state.cluster ?? '',
    resourceId: state.resource ?? '',
    correlationId: state.correlation ?? '',
    requestId: state.request ?? '',
    ...(from === undefined ? {} : { from: timestampFromMs(from) }),
    ...(to === undefined ? {} : { to: timestampFromMs(to) }),
  };
}

const flags: readonly (readonly [FilterName, string])[] = [
  ['q', '--text'],
  ['category', '--category'],
  ['code', '--code'],
  ['severity', '--severity'],
  ['user', '--user'],
  ['cluster', '--cluster'],
  ['resource', '--resource'],
  ['correlation', '--correlation'],
];

/** The same search in the terminal, its range as instants. */
export function auditCommand(state: AuditState, now: number): readonly CommandPart[] {
  const { from, to } = boundsOf(state, now);
  const parts: CommandPart[] = ['clustral audit'];
  for (const [name, flag] of flags) {
    const value = state[name];
    if (value !== undefined) parts.push(flag, { value });
  }
  if (from !== undefined) parts.push('--from', { value: isoOf(from) });
  if (to !== undefined) parts.push('--to', { value: isoOf(to) });
  return parts;
}

/** Whole seconds, for an address and a command line. */
export const isoOf = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
