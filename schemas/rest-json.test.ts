import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { AuditEventSchema, ListAuditEventsRequestSchema } from './gen/clustral/v1/audit_pb.ts';
import { ClusterSchema, ClusterStatus, ListClustersResponseSchema } from './gen/clustral/v1/clusters_pb.ts';
import { fromRestJson, toRestJson } from './rest-json.ts';

describe('REST JSON', () => {
  it('has every field, enums as words, and instants as ISO 8601', () => {
    const cluster = create(ClusterSchema, {
      id: 'c',
      status: ClusterStatus.DISCONNECTED,
      labels: { region: 'eu' },
      registeredAt: timestampFromDate(new Date('2026-01-01T00:00:00Z')),
    });
    expect(toRestJson(ClusterSchema, cluster)).toMatchObject({
      id: 'c',
      name: '',
      status: 'Disconnected',
      labels: { region: 'eu' },
      registeredAt: '2026-01-01T00:00:00Z',
      agentVersion: '',
    });
  });

  it('maps enums inside lists', () => {
    const clusters = [ClusterStatus.PENDING, ClusterStatus.CONNECTED].map((status) => ({ status }));
    const json = toRestJson(ListClustersResponseSchema, create(ListClustersResponseSchema, { clusters }));
    expect(json).toMatchObject({ clusters: [{ status: 'Pending' }, { status: 'Connected' }], nextPageToken: '' });
  });

  it('shows an empty list as a list', () => {
    expect(toRestJson(ListClustersResponseSchema, create(ListClustersResponseSchema))).toMatchObject({ clusters: [] });
  });

  it('leaves the JSON of a free-form field alone', () => {
    const metadata = { status: 'CLUSTER_STATUS_PENDING', nested: { list: [1, 'a', null] } };
    expect(toRestJson(AuditEventSchema, create(AuditEventSchema, { metadata }))).toMatchObject({ metadata });
  });

  it('reads back what it wrote', () => {
    const cluster = create(ClusterSchema, { id: 'c', status: ClusterStatus.CONNECTED, labels: { a: 'b' } });
    expect(fromRestJson(ClusterSchema, toRestJson(ClusterSchema, cluster))).toEqual(cluster);
  });

  it('ignores fields that are not in the schema', () => {
    expect(fromRestJson(ClusterSchema, { name: 'prod', tokenVersion: 9, __proto__: { id: 'x' } })).toMatchObject({
      name: 'prod',
      id: '',
    });
  });

  it.each([
    ['an operator where a text belongs', { clusterId: { $ne: null } }],
    ['a list where a text belongs', { user: ['a'] }],
    ['a number where a text belongs', { user: 1 }],
    ['a word where a number belongs', { pageSize: 'NaN' }],
    ['a fraction where a whole number belongs', { page: 1.5 }],
    ['an instant that is none', { from: 'yesterday' }],
  ])('throws for %s', (_, json) => {
    expect(() => fromRestJson(ListAuditEventsRequestSchema, json)).toThrow();
  });

  it('throws for a word that the enum does not have', () => {
    expect(() => fromRestJson(ClusterSchema, { status: 'Exploded' })).toThrow();
  });
});
