import { describe, expect, it } from 'vitest';
import { ListAuditEventsRequestSchema } from './gen/clustral/v1/audit_pb.ts';
import { ClusterSchema, UpdateClusterRequestSchema } from './gen/clustral/v1/clusters_pb.ts';
import { CreateRoleRequestSchema, RoleSchema } from './gen/clustral/v1/roles_pb.ts';
import { messageSchema } from './openapi.ts';

const options = {
  comments: { 'clustral.v1.Cluster': 'A cluster.', 'clustral.v1.Cluster.labels': 'Its labels.' },
  refer: ({ name }: { readonly name: string }) => ({ $ref: `#/${name}` }),
};

describe('the schema of an answer', () => {
  it('has every field that is always there, and not those that may be missing', () => {
    const { required } = messageSchema(ClusterSchema, { direction: 'answered' }, options);
    expect(required).toEqual(expect.arrayContaining(['id', 'labels', 'status', 'roundTripMs']));
    expect(required).not.toContain('lastSeenAt');
  });

  it('shows enums as words, instants as texts and large numbers as texts', () => {
    const cluster = messageSchema(ClusterSchema, { direction: 'answered' }, options);
    expect(cluster).toMatchObject({
      description: 'A cluster.',
      properties: {
        status: { type: 'string', enum: ['Pending', 'Connected', 'Disconnected'] },
        registeredAt: { type: 'string', format: 'date-time' },
        labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'Its labels.' },
      },
    });
    expect(messageSchema(RoleSchema, { direction: 'answered' }, options)).toMatchObject({
      properties: { revision: { type: 'string', format: 'int64' }, review: { $ref: '#/ReviewRules' } },
    });
  });
});

describe('the schema of a request', () => {
  it('has the rules of its fields, and null for what may be left out', () => {
    const role = messageSchema(CreateRoleRequestSchema, { direction: 'sent' }, options);
    expect(role).toMatchObject({
      required: ['name', 'k8sGroups'],
      properties: {
        name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$' },
        description: { type: ['string', 'null'], maxLength: 1024 },
        k8sGroups: {
          type: 'array',
          minItems: 1,
          maxItems: 64,
          items: { type: 'string', minLength: 1, maxLength: 253 },
        },
        review: { anyOf: [{ $ref: '#/ReviewRules' }, { type: 'null' }] },
      },
    });
    expect(messageSchema(ListAuditEventsRequestSchema, { direction: 'sent' }, options)).toMatchObject({
      properties: { pageSize: { minimum: 1, maximum: 200 } },
    });
  });

  it('leaves out what travels elsewhere', () => {
    const body = messageSchema(UpdateClusterRequestSchema, { direction: 'sent', without: ['id'] }, options);
    expect(Object.keys(body['properties'] as object)).toEqual(['name', 'description', 'labels', 'removeLabels']);
    expect(body['required']).toBeUndefined();
  });
});
