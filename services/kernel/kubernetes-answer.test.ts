import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { kubernetesAnswer } from './kubernetes-answer.ts';

const context = { docsBaseUrl: 'https://clustral.example/errors/', correlationId: 'c-1' };
const gone = new Refusal('AGENT_NOT_CONNECTED', "The agent of cluster 'prod' is not connected.");
const id = '0b9f1f8e-5d0a-4f0e-9d3b-1c2d3e4f5a6b';
const kubectl =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

const typeOf = (headers: Readonly<Record<string, string>>, path: string, refusal = gone) =>
  kubernetesAnswer(refusal, context, { url: `/api/proxy/${id}${path}`, headers }).headers['content-type'];

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

describe('a refusal on the way to a cluster (D20)', () => {
  it('is a Status object to a Kubernetes client, with the code as its cause', () => {
    const { status, headers, body } = kubernetesAnswer(gone, context, {
      url: `/api/proxy/${id}/api/v1/pods`,
      headers: { accept: kubectl },
    });
    expect(status).toBe(502);
    expect(headers).toMatchObject({
      'content-type': json,
      'content-length': String(body.length),
      'x-clustral-error-code': 'AGENT_NOT_CONNECTED',
      'x-correlation-id': 'c-1',
    });
    expect(JSON.parse(body)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: "The agent of cluster 'prod' is not connected.",
      reason: 'InternalError',
      details: {
        causes: [{ reason: 'AGENT_NOT_CONNECTED', message: 'https://clustral.example/errors/agent-not-connected' }],
      },
      code: 502,
    });
  });

  it.each([
    ['kubectl', kubectl, '/api/v1/namespaces', json],
    ['a typed client', 'application/vnd.kubernetes.protobuf,application/json', '/api/v1/pods/x', json],
    ['curl', '*/*', '/api/v1/namespaces', text],
    ['nobody in particular', undefined, '/api/v1/namespaces', text],
    ['a client that wants another JSON', 'application/jsonish', '/api/v1/namespaces', text],
    ['discovery of the core', kubectl, '/api', text],
    ['discovery of the core group', kubectl, '/api/v1?timeout=32s', text],
    ['discovery of groups', kubectl, '/apis', text],
    ['discovery of a group', kubectl, '/apis/apps/v1', text],
    ['a version', kubectl, '/version', text],
    ['OpenAPI', kubectl, '/openapi/v3', text],
    ['an object of a group', kubectl, '/apis/apps/v1/deployments', json],
  ])('is what %s shows', (...[, accept, path, wanted]) => {
    expect(typeOf(accept === undefined ? {} : { accept }, path)).toBe(wanted);
  });

  it('is text to whoever asks for another protocol, and under 401', () => {
    const accept = kubectl;
    expect(typeOf({ accept, upgrade: 'websocket' }, '/api/v1/namespaces/a/pods/b/exec')).toBe(text);
    expect(typeOf({ accept }, '/api/v1/pods', new Refusal('CREDENTIAL_REVOKED', 'revoked'))).toBe(text);
  });

  it('says in its details when to come again', () => {
    const limited = new Refusal('RATE_LIMITED', 'too many', { retryAfterSeconds: '3' });
    const request = { url: `/api/proxy/${id}/api/v1/pods`, headers: { accept: kubectl } };
    expect(JSON.parse(kubernetesAnswer(limited, context, request).body)).toMatchObject({
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 3 },
    });
  });

  it('shows control and direction marks as text (PX-23)', () => {
    const request = { url: `/api/proxy/${id}/api/v1/pods`, headers: { accept: json } };
    expect(kubernetesAnswer(new Refusal('FORBIDDEN', 'a\u202eb\nc'), context, request).body).toContain(
      'a\\\\u202eb\\\\u000ac',
    );
  });
});
