/** The first day's work on the demo cluster: what people do with running pods, by real kubectl of several versions and with both streaming protocols. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echoedByHttp } from './parts/echo.ts';
import { kubectl } from './parts/kubectl.ts';
import { newPerson, newPlace, startProduct, until, type Person, type Product } from './parts/product.ts';
import { streamsSuite } from './parts/streams.ts';

const newest = kubectl('1.35');
const namespace = 'demo';

let product: Product;
let admin: Person;
let pod: string;

beforeAll(async () => {
  product = await startProduct(await newPlace());
  admin = newPerson();
  expect((await admin.signIn(product, 'admin')).code).toBe(0);
  expect((await admin.clustral('kube', 'login', 'demo')).code).toBe(0);
  const found = await admin.kubectl(newest, ['-n', namespace, 'get', 'pods', '-l', 'app=web', '-o', 'name']);
  [pod = ''] = found.stdout.replaceAll('pod/', '').split('\n');
  expect(pod, found.stderr).not.toBe('');
});

afterAll(async () => {
  await product?.stop();
  admin?.remove();
});

describe('streams into a pod of the demo cluster', () => {
  streamsSuite(() => ({ person: admin, namespace, pod, echoPort: 8080, echo: echoedByHttp, printed: /\S+/ }));
});

describe('a pod of the demo cluster that is replaced', () => {
  it('ends the log that follows it, and its successor has one of its own', async () => {
    const following = admin.startKubectl(newest, ['-n', namespace, 'logs', '-f', '--tail=1', pod]);
    await until(() => following.stdout() !== '', { limitMs: 20_000, what: () => following.stderr() });
    await admin.kubectl(newest, ['-n', namespace, 'delete', 'pod', pod, '--wait=false']);
    expect((await following.exited).code).toBe(0);
    await until(
      async () => {
        const { stdout } = await admin.kubectl(newest, ['-n', namespace, 'logs', '--tail=1', 'deploy/web']);
        return stdout !== '';
      },
      { limitMs: 30_000, what: () => 'a line of the successor' },
    );
  });
});
