/** `AuditService`: searches the audit read model and shows single events. It writes nothing and interprets nothing. */
import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { AuditDocument } from '@clustral/projections/audit.ts';
import { auditEvents, getAuditEvent } from '@clustral/projections/audit/query.ts';
import type { ReadModels } from '@clustral/projections/read-models.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { AuditService, type AuditEventSchema } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { isUuid } from '@clustral/schemas/ids.ts';
import { implement, type Call, type Implementation } from '@clustral/kernel/api.ts';
import { parseAuditRequest } from './filters.ts';

/** How long a call waits for a position that it carries. */
const waitMs = 5_000;

/** The service. */
export function auditService(models: ReadModels): Implementation {
  return implement(AuditService, {
    async listAuditEvents(request, call) {
      const { query, page, pageSize } = parseAuditRequest(request);
      await reached(models, call);
      const { items, next, total, totalIsLowerBound, completeFrom } = await auditEvents(models, query);
      return {
        events: items.map(eventOf),
        nextPageToken: next ?? '',
        total,
        totalIsLowerBound,
        page,
        pageSize,
        ...(completeFrom === undefined ? {} : { completeFrom: timestampFromMs(completeFrom) }),
      };
    },
    async getAuditEvent({ uid }, call) {
      await reached(models, call);
      // What is no UUID is no event's id, and no question for the store (ES-09).
      const event = isUuid(uid) ? await getAuditEvent(models, uid.toLowerCase()) : undefined;
      if (!event) throw notFound(uid);
      return eventOf(event);
    },
  });
}

/** Waits for the position that the caller carries, and lets the answer say how far what it shows may be behind. */
async function reached(models: ReadModels, call: Call): Promise<void> {
  if (call.atLeastPosition !== undefined) await models.waitFor(call.atLeastPosition, waitMs);
  const seconds = await models.lagSeconds();
  if (seconds !== undefined) call.lags(seconds);
}

function notFound(uid: string): Refusal {
  return new Refusal('AUDIT_EVENT_NOT_FOUND', `There is no audit event ${JSON.stringify(uid.slice(0, 60))}.`);
}

function eventOf(row: AuditDocument): MessageInitShape<typeof AuditEventSchema> {
  const { uid, event, code, category, severity, success, user, message, error } = row;
  const { resourceType, resourceId, resourceName, clusterName, correlationId, causationId, staleEpoch } = row;
  return {
    uid,
    event,
    code,
    category,
    severity,
    success,
    user,
    userId: row.userId ?? '',
    resourceType,
    resourceId,
    resourceName,
    clusterName,
    clusterId: row.clusterId ?? '',
    time: timestampFromMs(row.time),
    receivedAt: timestampFromMs(row.receivedAt),
    message,
    error,
    metadata: row.metadata as JsonObject,
    correlationId,
    causationId,
    position: String(row.position),
    staleEpoch,
  };
}
