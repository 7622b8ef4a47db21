import { describe, expect, it } from 'vitest';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import type { ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { clusterCollection, clusters } from './clusters.ts';
import { clusterDeleted, registered } from './testing/people.ts';
import { heldAfter, Story } from './testing/story.ts';

const clusterId = 'c' as ClusterId;
const stream = 'cluster-c';
const clusterAfter = async (story: Story) => (await heldAfter([clusters], story.facts)).get(clusterCollection, 'c');
const connected: ClusterFact = {
  type: 'cluster.connected',
  data: { clusterId, agentVersion: '1.0', kubernetesVersion: 'v1.35' },
};
const disconnected: ClusterFact = { type: 'cluster.disconnected', data: { clusterId, reason: 'gone' } };
const agentRevoked: ClusterFact = { type: 'cluster.agent_revoked', data: { clusterId, tokenVersion: 2 } };
const certificate = (notAfter: string) => ({
  fingerprint: 'f',
  serialNumber: 's',
  publicKeyHash: 'p',
  certificatePem: 'pem',
  notAfter,
});
const enrolled: ClusterFact = {
  type: 'cluster.agent_enrolled',
  data: { clusterId, tokenHash: 'h', tokenVersion: 1, certificate: certificate('2027-01-01T00:00:00Z') },
};

describe('a cluster as shown', () => {
  it('is pending until its agent connects', async () => {
    const story = new Story().tell(stream, registered('c', 'prod')).tell(stream, enrolled);
    expect(await clusterAfter(story)).toEqual({
      _id: 'c',
      name: 'prod',
      description: '',
      labels: {},
      status: 'pending',
      registeredAt: story.facts[0]?.recordedAt.getTime(),
      lastSeenAt: null,
      agentVersion: '',
      kubernetesVersion: '',
      certificateExpiresAt: Date.parse('2027-01-01T00:00:00Z'),
      deleted: false,
      position: 20,
    });
  });

  it.each<[string, readonly ClusterFact[], object]>([
    ['connected', [connected], { status: 'connected', agentVersion: '1.0', kubernetesVersion: 'v1.35' }],
    [
      'disconnected, with the versions last seen',
      [connected, disconnected],
      { status: 'disconnected', agentVersion: '1.0' },
    ],
    ['connected again', [connected, disconnected, connected], { status: 'connected' }],
    [
      'pending once its agent is revoked',
      [enrolled, connected, agentRevoked],
      { status: 'pending', certificateExpiresAt: null },
    ],
    [
      'pending when the revoked agent loses its connection',
      [connected, agentRevoked, disconnected],
      { status: 'pending' },
    ],
    [
      'called as it was last',
      [{ type: 'cluster.updated', data: { clusterId, name: 'new', description: 'd', labels: { a: 'b' } } }],
      { name: 'new', description: 'd', labels: { a: 'b' } },
    ],
    [
      'shown with the end of its newest certificate',
      [
        enrolled,
        {
          type: 'cluster.agent_renewed',
          data: { clusterId, tokenVersion: 1, certificate: certificate('2028-01-01T00:00:00Z') },
        },
        { type: 'cluster.agent_renewed', data: { clusterId, tokenVersion: 1 } },
      ],
      { certificateExpiresAt: Date.parse('2028-01-01T00:00:00Z') },
    ],
    ['kept as a name when it is deleted, and changed no more', [clusterDeleted('c'), connected], { deleted: true }],
  ])('is %s', async (_, facts, shown) => {
    const story = new Story().tell(stream, registered('c'));
    for (const fact of facts) story.tell(stream, fact);
    expect(await clusterAfter(story)).toMatchObject(shown);
  });

  it('has not heard a fact that is void', async () => {
    const story = new Story().tell(stream, registered('c'));
    story.tell('lease-control_plane', { type: 'control_plane.took_over', data: { epoch: 2, holder: 'h' } });
    expect(await clusterAfter(story.tell(stream, clusterDeleted('c')))).toMatchObject({ deleted: false });
  });

  it('shows no token, no certificate and no token version', async () => {
    const facts = goldenSamples().map(({ fact }) => fact);
    const text = JSON.stringify((await heldAfter([clusters], facts)).all(clusterCollection));
    expect(text).not.toMatch(/CERTIFICATE|nonce|hash|tokenVersion|1a1a/);
  });
});
