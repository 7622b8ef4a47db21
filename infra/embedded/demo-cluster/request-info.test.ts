import { describe, expect, it } from 'vitest';
import { parseRequest } from './request-info.ts';

describe('what a request is about', () => {
  it.each([
    ['GET', '/api/v1/pods', 'list', { plural: 'pods' }],
    ['GET', '/api/v1/pods?watch=true', 'watch', { plural: 'pods' }],
    ['GET', '/api/v1/pods?watch=false', 'list', { plural: 'pods' }],
    ['GET', '/api/v1/namespaces/a/pods/b', 'get', { plural: 'pods', namespace: 'a', name: 'b' }],
    [
      'GET',
      '/api/v1/namespaces/a/pods/b/log',
      'get',
      { plural: 'pods', namespace: 'a', name: 'b', subresource: 'log' },
    ],
    ['POST', '/api/v1/namespaces/a/pods', 'create', { plural: 'pods', namespace: 'a' }],
    ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection', { plural: 'pods', namespace: 'a' }],
    ['DELETE', '/api/v1/namespaces/a', 'delete', { plural: 'namespaces', namespace: 'a', name: 'a' }],
    [
      'PUT',
      '/api/v1/namespaces/a/finalize',
      'update',
      { plural: 'namespaces', namespace: 'a', name: 'a', subresource: 'finalize' },
    ],
    ['GET', '/api/v1/namespaces', 'list', { plural: 'namespaces' }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Db', 'list', { plural: 'pods', name: 'b' }],
    [
      'PATCH',
      '/apis/apps/v1/namespaces/a/deployments/d/scale',
      'patch',
      { group: 'apps', plural: 'deployments', namespace: 'a', name: 'd', subresource: 'scale' },
    ],
    ['GET', '/api/v1/namespaces/a/pods/b%2Fc', 'get', { plural: 'pods', namespace: 'a', name: 'b/c' }],
  ])('%s %s: %s %j', (...[method, target, verb, resource]) => {
    const info = parseRequest(method, target);
    expect([info.verb, info.resource]).toEqual([verb, { group: '', version: 'v1', ...resource }]);
  });

  it.each(['/', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/version', '/openapi/v3'])(
    '%s is a plain path',
    (path) => {
      expect(parseRequest('GET', path)).toMatchObject({ verb: 'get', path });
      expect(parseRequest('GET', path).resource).toBeUndefined();
    },
  );
});
