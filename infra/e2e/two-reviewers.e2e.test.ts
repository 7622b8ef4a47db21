/**
 * Access that two people must approve, from the first word at the command line to the expired grant and the lines in the
 * audit. With TRANSCRIPT=1 it prints what everybody typed and saw.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanSlate } from './parts/clean-slate.ts';
import { kubectl } from './parts/kubectl.ts';
import { newPerson, newPlace, startProduct, until, type Finished, type Person, type Product } from './parts/product.ts';

const newest = kubectl('1.35');
const refused = /dev@clustral\.local has no active role on cluster 'demo'/;

type AuditEvent = { readonly code: string; readonly user: string; readonly message: string };
type AccessRequest = { readonly id: string; readonly status: string; readonly grantExpiresAt: string };

let product: Product;
let admin: Person;
let dev: Person;
let olga: Person;
const transcript: string[] = [];

beforeAll(async () => {
  const place = await newPlace();
  const first = await startProduct(place);
  await first.stop();
  putOnCall(join(place.dataFolder, 'idp', 'identity-provider.sqlite'));
  product = await startProduct(place);
  [admin, dev, olga] = [newPerson(), newPerson(), newPerson()];
  for (const [person, name] of [
    [admin, 'admin'],
    [dev, 'dev'],
    [olga, 'auditor'],
  ] as const) {
    const { code, stderr } = await person.signIn(product, name);
    expect(code, stderr).toBe(0);
  }
});

afterAll(async () => {
  await product?.stop();
  for (const person of [admin, dev, olga]) person?.remove();
  if (process.env['TRANSCRIPT'] === '1') process.stdout.write(`${transcript.join('\n')}\n`);
});

/** The provider's third person becomes Olga, who is no auditor but in a group that is on call; the password stays. */
function putOnCall(file: string): void {
  const database = new DatabaseSync(file);
  const row = database.prepare('SELECT profile FROM people WHERE username = ?').get('auditor');
  const profile = JSON.parse(String(row?.['profile'])) as object;
  const olgas = { email: 'olga@clustral.local', givenName: 'Olga', roles: ['clustral-user'], groups: ['oncall'] };
  database
    .prepare('UPDATE people SET profile = ? WHERE username = ?')
    .run(JSON.stringify({ ...profile, ...olgas }), 'auditor');
  database.close();
}

const nameOf = (person: Person): string =>
  new Map([
    [admin, 'admin'],
    [dev, 'dev'],
    [olga, 'olga'],
  ]).get(person) ?? '';

function noted(person: Person, words: readonly string[], { code, stdout, stderr }: Finished): Finished {
  const line = words.map((word) => (/^[\w./:@#-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  transcript.push(`${nameOf(person)}$ ${line}`, ...[stdout, stderr].filter((text) => text !== '').map(trimmed));
  if (code !== 0) transcript.push(`(exit ${code})`);
  return { code, stdout, stderr };
}

const trimmed = (text: string): string => text.trimEnd();

const types = async (person: Person, ...words: readonly string[]): Promise<Finished> =>
  noted(person, ['clustral', ...words], await person.clustral(...words));

const looks = async (): Promise<Finished> => {
  const words = ['get', 'pods', '-n', 'demo', '-o', 'name'];
  return noted(dev, ['kubectl', ...words], await dev.kubectl(newest, words));
};

const audit = async (requestId: string): Promise<readonly AuditEvent[]> => {
  const { stdout } = await admin.clustral('audit', '--resource', requestId, '-o', 'json');
  return (JSON.parse(stdout) as { events: AuditEvent[] }).events.toReversed();
};

async function requestOf(person: Person): Promise<AccessRequest> {
  const { stdout } = await person.clustral('access', 'list', '--mine', '-o', 'json', '--limit', '1');
  const [newestRequest] = (JSON.parse(stdout) as { requests: AccessRequest[] }).requests;
  if (!newestRequest) throw new Error('nothing was asked for');
  return newestRequest;
}

describe('access that two people must approve', () => {
  it('begins with the rules of a role', async () => {
    const rules = ['--approvals', '2', '--reviewer-group', 'oncall', '--max-duration', '1h', '--ticket', 'OPS-#'];
    const edited = await types(admin, 'roles', 'edit', 'k8s-viewer', ...rules);
    expect(edited.code, edited.stderr).toBe(0);
    expect((await types(dev, 'roles', 'list', '-o', 'wide')).stdout).toContain(
      '2 approvals; oncall; at most 1h; OPS-#',
    );
  });

  it('is refused when the rules are not kept, in words that say how', async () => {
    await cleanSlate(dev);
    const ask = (...words: readonly string[]) =>
      types(dev, 'access', 'request', 'demo', '--role', 'k8s-viewer', ...words);
    expect((await ask('--for', '2h', '--reason', 'OPS-7: a look')).stderr).toContain('maximum of 1h for this role');
    expect((await ask('--for', '1h', '--reason', 'a look')).stderr).toContain('must name a ticket like OPS-#');
  });

  it('is asked for, approved by two, used, and over at its end, with every step in the audit', async () => {
    await cleanSlate(dev);
    await dev.clustral('kube', 'login', 'demo');
    expect((await looks()).stderr).toMatch(refused);
    const wish = ['demo', '--role', 'k8s-viewer', '--for', '15s', '--reason', 'OPS-7: a look'];
    const asked = await types(dev, 'access', 'request', ...wish);
    expect(asked.code, asked.stderr).toBe(0);
    expect(asked.stderr).toContain('2 people who may decide it');
    const { id } = await requestOf(dev);

    expect((await types(dev, 'access', 'approve', id)).stderr).toContain('SELF_APPROVAL');
    expect((await types(olga, 'access', 'list', '--to-decide')).stdout).toContain(id);
    const first = await types(olga, 'access', 'approve', id);
    expect(first.stdout).toContain('(1 of 2 approvals)');
    expect((await types(olga, 'access', 'approve', id)).stderr).toContain('APPROVED_ALREADY');
    expect((await looks()).stderr).toMatch(refused);

    const second = await types(admin, 'access', 'approve', id);
    expect(second.stderr).toContain('1 of 2: olga@clustral.local');
    expect(second.stdout).toContain('Approved: dev@clustral.local has k8s-viewer on demo until');
    const used = await looks();
    expect(used.stdout, used.stderr).toContain('pod/');

    const { grantExpiresAt } = await requestOf(dev);
    await until(() => Date.now() >= Date.parse(grantExpiresAt), {
      limitMs: 20_000,
      what: () => 'the end of the grant',
    });
    expect((await looks()).stderr).toMatch(refused);
    await until(async () => (await audit(id)).length === 4, { limitMs: 10_000, what: () => 'four lines in the audit' });
    expect((await audit(id)).map(({ code, user }) => [code, user])).toEqual([
      ['CAR001I', 'dev@clustral.local'],
      ['CAR007I', 'olga@clustral.local'],
      ['CAR002I', 'admin@clustral.local'],
      ['CAR005I', 'control-plane'],
    ]);
    await types(admin, 'audit', '--resource', id);
    expect((await types(dev, 'access', 'list', '--mine', '--limit', '1')).stdout).toContain('Expired');
  });
});
