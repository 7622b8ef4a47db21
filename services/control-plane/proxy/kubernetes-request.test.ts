import { describe, expect, it } from 'vitest';
import { isServiceProxy, isStrict, parseKubernetesRequest, storedPath } from './kubernetes-request.ts';

/** `verb group/version resource/subresource namespace name`, `-` for nothing, `?` after what is not recognised. */
function summary(method: string, target: string): string {
  const { verb, group, version, resource, subresource, namespace, name, recognised } = parseKubernetesRequest(
    method,
    target,
  );
  const kind = resource === null ? '-' : `${group === '' ? '' : `${group}/`}${version}/${resource}`;
  const part = subresource === null ? '' : `/${subresource}`;
  return `${verb} ${kind}${part} ${namespace ?? '-'} ${name ?? '-'}${recognised ? '' : ' ?'}`;
}

describe('reading what a request is about', () => {
  it.each([
    ['GET', '/api/v1/pods', 'list v1/pods - -'],
    ['GET', '/api/v1/pods/', 'list v1/pods - -'],
    ['GET', '/api/v1/namespaces/default/pods?limit=500', 'list v1/pods default -'],
    ['GET', '/api/v1/namespaces/default/pods?watch=1', 'watch v1/pods default -'],
    ['GET', '/api/v1/namespaces/default/pods?watch=true&timeoutSeconds=5', 'watch v1/pods default -'],
    ['GET', '/api/v1/namespaces/default/pods?watch', 'watch v1/pods default -'],
    ['GET', '/api/v1/namespaces/default/pods?watch=False', 'list v1/pods default -'],
    ['GET', '/api/v1/namespaces/default/pods?watch=0&watch=1', 'list v1/pods default -'],
    ['GET', '/api/v1/namespaces/default/pods/p', 'get v1/pods default p'],
    ['GET', '/api/v1/namespaces/default/pods/p?watch=1', 'get v1/pods default p'],
    ['HEAD', '/api/v1/namespaces/default/pods/p', 'get v1/pods default p'],
    [
      'GET',
      '/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dweb-1&watch=1',
      'watch v1/pods default web-1',
    ],
    ['GET', '/api/v1/pods?fieldSelector=status.phase%3DRunning,metadata.name==a', 'list v1/pods - a'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name!%3Da', 'list v1/pods - -'],
    ['GET', '/api/v1/namespaces', 'list v1/namespaces - -'],
    ['GET', '/api/v1/namespaces/default', 'get v1/namespaces default default'],
    ['PUT', '/api/v1/namespaces/default/finalize', 'update v1/namespaces/finalize default default'],
    ['PATCH', '/api/v1/namespaces/default/status', 'patch v1/namespaces/status default default'],
    ['POST', '/api/v1/namespaces/default/configmaps', 'create v1/configmaps default -'],
    ['PUT', '/apis/apps/v1/namespaces/n/deployments/d/scale', 'update apps/v1/deployments/scale n d'],
    ['PATCH', '/apis/apps/v1/namespaces/n/deployments/d', 'patch apps/v1/deployments n d'],
    ['DELETE', '/apis/apps/v1/namespaces/n/deployments/d', 'delete apps/v1/deployments n d'],
    ['DELETE', '/apis/apps/v1/namespaces/n/deployments?labelSelector=a', 'deletecollection apps/v1/deployments n -'],
    ['GET', '/apis/stable.example.com/v1/crontabs', 'list stable.example.com/v1/crontabs - -'],
    [
      'GET',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node',
      'get rbac.authorization.k8s.io/v1/clusterroles - system:node',
    ],
    [
      'GET',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
      'get rbac.authorization.k8s.io/v1/clusterroles - system:node',
    ],
    ['GET', '/api/v1/namespaces/n/pods/p/log?follow=true', 'get v1/pods/log n p'],
    ['POST', '/api/v1/namespaces/n/pods/p/exec?command=sh', 'create v1/pods/exec n p'],
    ['GET', '/api/v1/namespaces/n/pods/p/exec?command=sh', 'create v1/pods/exec n p'],
    ['GET', '/api/v1/namespaces/n/pods/p/attach', 'create v1/pods/attach n p'],
    ['GET', '/api/v1/namespaces/n/pods/p/portforward?ports=80', 'create v1/pods/portforward n p'],
    ['POST', '/api/v1/namespaces/n/serviceaccounts/s/token', 'create v1/serviceaccounts/token n s'],
    ['GET', '/api/v1/namespaces/n/services/https:foo:443/proxy/a/b', 'connect v1/services/proxy n https:foo:443'],
    ['DELETE', '/api/v1/nodes/n1/proxy/pods', 'connect v1/nodes/proxy - n1'],
    ['GET', '/api/v1/watch/namespaces/n/pods', 'watch v1/pods n -'],
    ['GET', '/api/v1/watch/pods', 'watch v1/pods - -'],
    ['GET', '/', 'get - - -'],
    ['GET', '/version?timeout=32s', 'get - - -'],
    ['GET', '/api', 'get - - -'],
    ['GET', '/api/v1', 'get - - -'],
    ['GET', '/apis/apps/v1', 'get - - -'],
    ['GET', '/openapi/v3/apis/apps/v1', 'get - - -'],
    ['GET', '/healthz/ping', 'get - - -'],
    ['GET', '/.well-known/openid-configuration', 'get - - -'],
  ])('%s %s is "%s"', (method, target, expected) => {
    expect(summary(method, target)).toBe(expected);
  });

  it.each([
    [
      'exec?command=sh&command=-c&command=a%20b&container=app&stdin=true',
      { container: 'app', command: ['sh', '-c', 'a b'] },
    ],
    ['exec?container=', { command: [] }],
    ['attach?container=app&command=sh', { container: 'app' }],
    ['portforward?ports=80&command=sh', {}],
    ['log?container=app', {}],
    [`exec?command=a&command=${'b'.repeat(2_000)}&command=c`, { command: ['a', `${'b'.repeat(1_023)}…`] }],
  ])('UP-08 of a stream is also where it goes: %s', (rest, expected) => {
    const { container, command } = parseKubernetesRequest('GET', `/api/v1/namespaces/n/pods/p/${rest}`);
    expect({
      ...(container === undefined ? {} : { container }),
      ...(command === undefined ? {} : { command }),
    }).toEqual(expected);
  });

  it.each([
    ['GET', '/api/v1/proxy/namespaces/n/services/s/x'],
    ['POST', '/api/v1/watch/pods'],
    ['GET', '/api/v1/watch'],
    ['OPTIONS', '/api/v1/pods'],
    ['FOO', '/api/v1/pods'],
    ['POST', '/version'],
    ['GET', '/somewhere/else'],
    ['GET', '//api/v1/pods'],
    ['GET', '/api//v1/pods'],
    ['GET', '/api/v1//pods'],
    ['GET', '/apis//v1/pods'],
    ['GET', '/api/v1/namespaces//pods'],
    ['GET', '/api/v1/namespaces/n%2Fpods'],
    ['GET', '/api/v1/namespaces/n/pods/a%5Cb'],
    ['GET', '/api/v1/pods;a=b'],
    ['GET', '/api/v1/pods%00'],
    ['GET', '/api/v1/pods%'],
    ['GET', '/api/v1/pöds'],
    ['GET', '/api/v1/Pods'],
    ['GET', '/api/v1/namespaces/n/pods/a b'],
    ['GET', `/api/v1/${'a'.repeat(70)}`],
  ])('%s %s is not recognised, and so strict', (method, target) => {
    const request = parseKubernetesRequest(method, target);
    expect(request.recognised).toBe(false);
    expect(isStrict(request)).toBe(true);
  });

  it('finds the resource behind an escaped slash, as the API server does', () => {
    expect(parseKubernetesRequest('GET', '/api/v1/namespaces/n%2Fsecrets').resource).toBe('secrets');
  });

  it.each([
    ['GET', '/api/v1/pods', false],
    ['HEAD', '/api/v1/namespaces/n/pods/p', false],
    ['GET', '/api/v1/pods?watch=1', false],
    ['GET', '/api/v1/namespaces/n/pods/p/log', false],
    ['GET', '/version', false],
    ['GET', '/api/v1/namespaces/n/serviceaccounts/s', false],
    ['POST', '/api/v1/namespaces/n/pods', true],
    ['PUT', '/api/v1/namespaces/n/pods/p', true],
    ['PATCH', '/api/v1/namespaces/n/pods/p', true],
    ['DELETE', '/api/v1/namespaces/n/pods/p', true],
    ['DELETE', '/api/v1/namespaces/n/pods', true],
    ['GET', '/api/v1/namespaces/n/pods/p/exec', true],
    ['GET', '/api/v1/namespaces/n/pods/p/attach', true],
    ['GET', '/api/v1/namespaces/n/pods/p/portforward', true],
    ['GET', '/api/v1/secrets', true],
    ['GET', '/api/v1/secrets?watch=1', true],
    ['GET', '/api/v1/watch/secrets', true],
    ['GET', '/api/v1/namespaces/n/secrets/s', true],
    ['GET', '/api/v1/namespaces/n/serviceaccounts/s/token', true],
    ['GET', '/api/v1/namespaces/n/services/s/proxy/', true],
    ['GET', '/api/v1/nodes/n/proxy', true],
  ])('D12 %s %s is strict: %s', (method, target, strict) => {
    expect(isStrict(parseKubernetesRequest(method, target))).toBe(strict);
  });

  it('knows whose answer comes from behind a proxy subresource', () => {
    expect(isServiceProxy(parseKubernetesRequest('GET', '/api/v1/namespaces/n/services/s/proxy/x'))).toBe(true);
    expect(isServiceProxy(parseKubernetesRequest('GET', '/api/v1/namespaces/proxy/pods/proxy'))).toBe(false);
  });
});

describe('what is stored of a path', () => {
  it.each([
    ['/api?token=abc&x=1', '/api?token=&x=1'],
    ['/api?x=1;access_token=abc', '/api?x=1;access_token='],
    ['/api?%74oken=abc', '/api?%74oken='],
    ['/api?TOKEN=abc=def&token', '/api?TOKEN=&token'],
    ['/api?tokens=abc', '/api?tokens=abc'],
    ['/a\xe9?x=\x7f', '/a%E9?x=%7F'],
  ])('PX-22 %j is stored as %j', (target, stored) => {
    expect(storedPath(target)).toBe(stored);
  });

  it('is cut at 1,024 characters', () => {
    expect(storedPath(`/${'a'.repeat(5_000)}`)).toHaveLength(1_024);
  });

  it('takes no longer for a hostile path than for another', () => {
    const began = performance.now();
    for (const target of [`/${'/'.repeat(30_000)}x`, `/?${'a'.repeat(30_000)}`, `/?${'a;'.repeat(15_000)}`])
      parseKubernetesRequest('GET', target);
    expect(performance.now() - began).toBeLessThan(200);
  });
});
