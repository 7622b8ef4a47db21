/** `clustral audit`: searches the audit log, newest first. */
import { Option } from 'clipanion';
import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import {
  AuditService,
  ListAuditEventsResponseSchema,
  type AuditEvent,
} from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { collect, wholeNumber } from '../client.ts';
import { asJson, ClustralCommand } from '../command.ts';
import { CliError, exitCodes } from '../failure.ts';
import { findCluster } from '../lookup.ts';
import { printList, type Column } from '../output.ts';

const columns: readonly Column<AuditEvent>[] = [
  {
    head: 'TIME',
    value: ({ time }) =>
      time === undefined
        ? '-'
        : timestampDate(time)
            .toISOString()
            .replace(/\.\d+Z$/, 'Z'),
  },
  { head: 'CODE', value: ({ code }) => code },
  { head: 'EVENT', value: ({ event }) => event },
  { head: 'USER', value: ({ user }) => user || '-' },
  { head: 'CLUSTER', value: ({ clusterName }) => clusterName || '-' },
  { head: 'MESSAGE', value: ({ message }) => message },
  { head: 'SEVERITY', value: ({ severity }) => severity, wide: true },
  { head: 'CORRELATION', value: ({ correlationId }) => correlationId, wide: true },
  { head: 'UID', value: ({ uid }) => uid, wide: true },
];

export class Audit extends ClustralCommand {
  static override paths = [['audit'], ['audit', 'list'], ['audit', 'ls']];
  static override usage = ClustralCommand.Usage({
    category: 'Audit',
    description: 'search the audit log',
    examples: [
      ['What was refused', '$0 audit --code CPR002W'],
      ['What one person did', '$0 audit --user alice@example.com --from 2026-04-01'],
      ['For scripts', '$0 audit -o json'],
    ],
  });
  category: string = Option.String('--category', '', {
    description: 'access_requests, credentials, clusters, roles, auth, proxy, system',
  });
  code: string = Option.String('--code', '', { description: 'event code, e.g. CPR002W' });
  severity: string = Option.String('--severity', '', { description: 'Info, Warning or Error' });
  user: string = Option.String('--user', '', { description: 'e-mail, user name or id' });
  cluster: string | undefined = Option.String('--cluster', { description: 'name or id' });
  resource: string = Option.String('--resource', '', { description: 'id of the resource' });
  correlation: string = Option.String('--correlation', '', { description: 'correlation id' });
  text: string = Option.String('--text', '', { description: 'words that all occur' });
  from: string | undefined = Option.String('--from', { description: 'start, ISO 8601' });
  to: string | undefined = Option.String('--to', { description: 'end, ISO 8601' });
  limit: string = Option.String('--limit', '100', { description: 'how many at most' });
  noHeaders: boolean = Option.Boolean('--no-headers', false);

  async execute(): Promise<number> {
    const format = this.format;
    const session = this.openSession();
    const clusterId = this.cluster === undefined ? '' : (await findCluster(session, this.cluster)).id;
    const filters = {
      category: this.category,
      code: this.code,
      severity: this.severity,
      user: this.user,
      clusterId,
      resourceId: this.resource,
      correlationId: this.correlation,
      text: this.text,
      ...(this.from === undefined ? {} : { from: instantOf('--from', this.from) }),
      ...(this.to === undefined ? {} : { to: instantOf('--to', this.to) }),
    };
    const client = session.client(AuditService);
    let total = '';
    const { items, more } = await collect(
      wholeNumber('--limit', this.limit, [1, 100_000]),
      async (pageToken, pageSize) => {
        const page = await client.listAuditEvents({ ...filters, pageToken, pageSize });
        total = `${page.total}${page.totalIsLowerBound ? '+' : ''}`;
        return { items: page.events, next: page.nextPageToken };
      },
    );
    const json = asJson(ListAuditEventsResponseSchema, create(ListAuditEventsResponseSchema, { events: [...items] }));
    printList(this.context, {
      format,
      rows: items,
      columns,
      json: { events: json['events'] },
      plural: 'events',
      nameOf: ({ uid }) => `event/${uid}`,
      empty: 'No events match.',
      heads: !this.noHeaders,
    });
    if (more) this.say(`showing ${items.length} of ${total}; --limit shows more`);
    return exitCodes.ok;
  }
}

function instantOf(flag: string, text: string): Timestamp {
  const isIso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text);
  const at = new Date(text);
  if (!isIso || Number.isNaN(at.getTime()))
    throw new CliError(exitCodes.usage, `${flag} must be an instant in ISO 8601`, `${flag} 2026-04-01T08:00:00Z`);
  return timestampFromDate(at);
}
