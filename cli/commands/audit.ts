/** `clustral audit`: searches the audit log, newest first. */
import { Option } from 'clipanion';
import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import {
  AuditService,
  ListAuditEventsResponseSchema,
  type AuditEvent,
} from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import type { Session } from '../client.ts';
import { flag, usageOf } from '../command-table.ts';
import { asJson } from '../command.ts';
import { CliError, exitCodes } from '../failure.ts';
import { PagedCommand } from '../list-command.ts';
import { findCluster } from '../lookup.ts';
import { collect } from '../paging.ts';
import type { Column } from '../table.ts';
import { visible } from '../text.ts';

const columns: readonly Column<AuditEvent>[] = [
  { head: 'TIME', value: ({ time }) => (time === undefined ? '-' : instant(time)) },
  {
    head: 'CODE',
    value: ({ code }) => code,
    tone: ({ code }) => (code.endsWith('E') ? 'bad' : code.endsWith('W') ? 'warn' : undefined),
  },
  { head: 'USER', value: ({ user }) => user || '-' },
  { head: 'CLUSTER', value: ({ clusterName }) => clusterName || '-' },
  { head: 'EVENT', value: ({ event }) => event, wide: true },
  { head: 'SEVERITY', value: ({ severity }) => severity, wide: true },
  { head: 'CORRELATION', value: ({ correlationId }) => correlationId || '-', wide: true },
  { head: 'UID', value: ({ uid }) => uid, wide: true },
  { head: 'MESSAGE', value: ({ message }) => message },
];

export class Audit extends PagedCommand {
  static override paths = [['audit']];
  static override usage = usageOf('audit', {
    examples: [
      ['What was refused', 'clustral audit --code CPR002W'],
      ['What one person did', 'clustral audit --user alice@example.com --from 2026-04-01'],
      ['For scripts', "clustral audit -o json | jq '.events[].message'"],
    ],
  });
  category: string = Option.String(
    '--category',
    '',
    flag('NAME', 'access_requests, credentials, clusters, roles, auth, proxy, system'),
  );
  code: string = Option.String('--code', '', flag('CODE', 'event code, e.g. CPR002W'));
  severity: string = Option.String('--severity', '', flag('WORD', 'Info, Warning or Error'));
  user: string = Option.String('--user', '', flag('USER', 'e-mail, user name or id'));
  cluster: string | undefined = Option.String('--cluster', flag('CLUSTER', 'name or id'));
  resource: string = Option.String('--resource', '', flag('ID', 'id of the resource'));
  correlation: string = Option.String('--correlation', '', flag('ID', 'correlation id'));
  text: string = Option.String('--text', '', flag('WORDS', 'words that all occur'));
  from: string | undefined = Option.String('--from', flag('TIME', 'start, ISO 8601, UTC unless a zone is named'));
  to: string | undefined = Option.String('--to', flag('TIME', 'end, likewise'));

  async execute(): Promise<number> {
    const { limitNumber } = this;
    const session = await this.openSession();
    const filters = await this.filters(session);
    const client = session.client(AuditService);
    let total = '';
    const { items, next } = await collect(limitNumber, async (pageToken, pageSize) => {
      const page = await client.listAuditEvents({ ...filters, pageToken, pageSize });
      total = `${page.total}${page.totalIsLowerBound ? '+' : ''}`;
      return { items: page.events, next: page.nextPageToken };
    });
    const message = create(ListAuditEventsResponseSchema, { events: [...items], nextPageToken: next });
    const { events, nextPageToken } = await asJson(ListAuditEventsResponseSchema, message);
    await this.printRows({
      rows: items,
      columns,
      json: { events, nextPageToken },
      plural: 'events',
      nameOf: ({ uid }) => `event/${uid}`,
      empty: 'No events match.',
    });
    this.sayWhatIsLeft({ shown: items.length, next, total });
    return exitCodes.ok;
  }

  private async filters(session: Session) {
    return {
      category: this.category,
      code: this.code,
      severity: this.severity,
      user: this.user,
      resourceId: this.resource,
      correlationId: this.correlation,
      text: this.text,
      clusterId: this.cluster === undefined ? '' : (await findCluster(session, this.cluster)).id,
      ...(this.from === undefined ? {} : { from: instantOf('--from', this.from) }),
      ...(this.to === undefined ? {} : { to: instantOf('--to', this.to) }),
    };
  }
}

const instant = (time: Timestamp): string =>
  timestampDate(time)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');

function instantOf(flagName: string, text: string): Timestamp {
  const [, day, time = 'T00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? [];
  const at = new Date(`${day}${time}${zone}`);
  if (day === undefined || Number.isNaN(at.getTime()))
    throw new CliError(
      exitCodes.usage,
      `${flagName} must be an instant in ISO 8601, not '${visible(text)}'`,
      `${flagName} 2026-04-01T08:00:00Z`,
    );
  return timestampFromDate(at);
}
