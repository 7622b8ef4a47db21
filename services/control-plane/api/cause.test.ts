import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  ClusterService,
  DeleteClusterRequestSchema,
  RegisterClusterRequestSchema,
} from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import type { Call } from '@clustral/kernel/api.ts';
import { commandCause, newId } from './cause.ts';

const call = (said: Partial<Call> & { sub?: string } = {}): Call => ({
  claims: { kind: 'internal', issuer: 'https://id.example', sub: said.sub ?? 'alice', iat: 0, exp: 0 },
  correlationId: 'c',
  signal: new AbortController().signal,
  reached: () => undefined,
  lags: () => undefined,
  ...said,
});
const request = (labels: Record<string, string> = {}) => create(RegisterClusterRequestSchema, { name: 'prod', labels });
const { registerCluster, deleteCluster } = ClusterService.method;
const keyed = (labels = {}, said = {}) =>
  commandCause(call({ idempotencyKey: 'k', ...said }), registerCluster, request(labels));

describe('the cause of a command', () => {
  it('names who asked by kind and id only, and from where', () => {
    const cause = commandCause(
      call({ sourceAddress: '10.0.0.1', userAgent: 'x'.repeat(300) }),
      registerCluster,
      request(),
    );
    expect(cause).toEqual({
      actor: { kind: 'user', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      $correlationId: 'c',
      sourceAddress: '10.0.0.1',
      userAgent: 'x'.repeat(256),
    });
  });

  it('holds no key and no body in clear', () => {
    expect(keyed().idempotency).toEqual({
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
      body: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('does not mind in which order a map was written', () => {
    expect(keyed({ a: '1', b: '2' })).toEqual(keyed({ b: '2', a: '1' }));
    expect(keyed({ a: '1' }).idempotency?.body).not.toBe(keyed({ a: '2' }).idempotency?.body);
  });

  it('tells one key of two people, and of two methods, apart', () => {
    const other = commandCause(call({ idempotencyKey: 'k' }), deleteCluster, create(DeleteClusterRequestSchema));
    const keys = [keyed(), keyed({}, { sub: 'bob' }), other].map(({ idempotency }) => idempotency?.key);
    expect(new Set(keys).size).toBe(3);
  });

  it('gives the same new id for the same key, and a random one without', () => {
    expect(newId('cluster', keyed())).toBe(newId('cluster', keyed()));
    expect(newId('cluster', keyed())).not.toBe(newId('role', keyed()));
    const without = commandCause(call(), registerCluster, request());
    expect(newId('cluster', without)).not.toBe(newId('cluster', without));
  });
});
