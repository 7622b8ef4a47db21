import { describe, expect, it } from 'vitest';
import { AccessRequestStatus } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { paletteItems, type Findable } from './palette-items.ts';

const id = '01937b2c-1111-7222-8333-444455559f3a';
const there: Findable = {
  places: [{ name: 'Audit', href: '/audit', icon: 'scroll' }],
  isAdmin: true,
  isReader: true,
  isActing: true,
  clusters: [{ id: '01937b2c-0000-7222-8333-444455550000', name: 'prod/../eu' }],
  roles: [],
  people: [{ id: '01937b2c-0000-7222-8333-444455551111', email: 'alice@example.com', name: 'Alice' }],
  requests: [
    { id, clusterName: 'prod', roleName: 'k8s-admin', requesterName: 'alice', status: AccessRequestStatus.PENDING },
  ],
};
const texts = (query: string, findable = there) => paletteItems(query, findable).map(({ text }) => text);

describe('the palette', () => {
  it('finds pages, acts and things by a few letters', () => {
    expect(texts('aud')[0]).toBe('Audit');
    expect(texts('regi')[0]).toBe('Register a cluster');
    expect(texts('ali@')[0]).toBe('alice@example.com');
  });

  it('leads to a name as one segment of the address, whatever is in it', () => {
    expect(paletteItems('prod', there).find(({ note }) => note === 'Cluster')?.href).toBe('/clusters/prod%2F..%2Feu');
  });

  it('takes a pasted id to the thing itself and into the audit log', () => {
    const items = paletteItems(` ${id.toUpperCase()} `, there);
    expect(items[0]?.href).toBe(`/access/requests/${id}`);
    expect(items.map(({ href }) => href)).toContain(`/audit?range=all&request=${id}`);
  });

  it('offers nobody what the server would refuse', () => {
    const developer = { ...there, isAdmin: false, isReader: false };
    expect(texts('regi', developer)).not.toContain('Register a cluster');
    expect(paletteItems(id, developer).every(({ note }) => note !== 'Audit')).toBe(true);
    expect(texts('ask', { ...developer, isReader: true, isActing: false })).not.toContain('Ask for access');
  });
});
