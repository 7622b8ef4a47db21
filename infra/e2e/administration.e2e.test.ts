/** What administrators do from the command line beside roles and requests: clusters and their agents, people, credentials. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl } from './parts/kubectl.ts';
import { newPerson, newPlace, startProduct, until, type Person, type Product } from './parts/product.ts';

const newest = kubectl('1.35');

let product: Product;
let admin: Person;
let dev: Person;

beforeAll(async () => {
  product = await startProduct(await newPlace());
  admin = newPerson();
  dev = newPerson();
  for (const [person, name] of [[admin, 'admin'] as const, [dev, 'dev'] as const]) {
    expect((await person.signIn(product, name)).code).toBe(0);
    expect((await person.clustral('kube', 'login', 'demo')).code).toBe(0);
  }
  await done('assignments', 'add', 'dev@clustral.local', 'demo', 'k8s-viewer');
});

afterAll(async () => {
  await product?.stop();
  for (const person of [admin, dev]) person?.remove();
});

/** Runs it as the administrator and expects that it works. */
async function done(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await admin.clustral(...words);
  expect(code, `clustral ${words.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

const asDev = () => dev.kubectl(newest, ['get', 'ns', '-o', 'name', '--request-timeout=10s']);
const works = async (): Promise<boolean> => (await asDev()).code === 0;

describe('clusters', () => {
  it('get a new bootstrap token as often as one is needed', async () => {
    const first = await done('clusters', 'register', 'edge');
    const second = await done('clusters', 'token', 'edge');
    const token = (text: string): string => /^bootstrap token +(\S+)$/m.exec(text)?.[1] ?? '';
    expect(token(first)).not.toBe('');
    expect(token(second)).not.toBe('');
    expect(token(second)).not.toBe(token(first));
  });

  it('are removed after a question, and are gone for everybody', async () => {
    expect(await admin.clustral('clusters', 'remove', 'edge')).toMatchObject({ code: 1 });
    expect(await done('clusters', 'remove', 'edge', '--yes')).toBe('edge is removed\n');
    expect(await admin.clustral('clusters', 'token', 'edge')).toMatchObject({ code: 3 });
  });
});

describe('a credential', () => {
  it('is listed, and revoked by its id; a new sign-in to the cluster gives another one', async () => {
    await until(works, { limitMs: 15_000, what: () => 'the developer reads' });
    const listed = JSON.parse(await done('credentials', 'list', '-o', 'json')) as {
      credentials: readonly { id: string; user: string }[];
    };
    const own = listed.credentials.filter(({ user }) => user === 'dev@clustral.local');
    expect(own).toHaveLength(1);
    const id = own[0]?.id ?? '';
    expect(await done('credentials', 'revoke', id)).toBe(`${id} is revoked\n`);
    expect(await done('credentials', 'list', '--all')).toMatch(new RegExp(`^${id}\\t.*\\trevoked$`, 'm'));
    expect((await asDev()).stderr).toContain('You must be logged in to the server');
    expect((await dev.clustral('kube', 'login', 'demo')).code).toBe(0);
    expect(await works()).toBe(true);
  });
});

describe('a person', () => {
  it('who is disabled gets nothing more, and everything again when enabled', async () => {
    expect(await done('users', 'disable', 'dev@clustral.local')).toContain('is disabled');
    const refused = await asDev();
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/disabled|revoked/)]);
    expect(await done('users', 'enable', 'dev@clustral.local')).toContain('is enabled again');
    expect((await dev.clustral('kube', 'login', 'demo')).code).toBe(0);
    await until(works, { limitMs: 15_000, what: () => 'the developer reads again' });
  });
});

describe('an agent', () => {
  it('that is revoked is cut off at once, and says what helps', async () => {
    expect(await done('clusters', 'revoke-agent', 'demo')).toBe('The agent of demo is revoked\n');
    const cut = await asDev();
    expect(cut.code).toBe(1);
    expect(cut.stderr).toContain('demo');
  });
});
