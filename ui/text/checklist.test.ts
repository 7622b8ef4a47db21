import { describe, expect, it } from 'vitest';
import { ClusterStatus } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { enrolmentChecks } from './checklist.ts';

const fresh = { status: ClusterStatus.PENDING, kubernetesVersion: '', agentVersion: '' };
const connected = { ...fresh, status: ClusterStatus.CONNECTED, agentVersion: '0.1.0' };
const event = (code: string, message = '') => ({ code, message, success: true, error: '' });
const enrolled = event('CCL007I');
const states = (...input: Parameters<typeof enrolmentChecks>) => enrolmentChecks(...input).map(({ state }) => state);

describe('the list of an enrolment', () => {
  it('waits for the token first and for nothing else', () => {
    expect(states({ cluster: fresh, events: [] })).toEqual(['waiting', 'later', 'later', 'later']);
  });

  it('moves on with each sign of the agent', () => {
    expect(states({ cluster: fresh, events: [enrolled] })[1]).toBe('waiting');
    expect(states({ cluster: connected, events: [enrolled] })).toEqual(['done', 'done', 'waiting', 'later']);
    const answering = { ...connected, kubernetesVersion: 'v1.35.0' };
    expect(states({ cluster: answering, events: [event('CPR001I'), enrolled] })).toEqual([
      'done',
      'done',
      'done',
      'done',
    ]);
  });

  it('tells a refused agent where it stopped, in the words of the server', () => {
    const events = [event('CAG001W', 'The bootstrap token was used already.')];
    expect(enrolmentChecks({ cluster: fresh, events })[0]).toMatchObject({
      state: 'failed',
      detail: 'The bootstrap token was used already.',
    });
    expect(states({ cluster: connected, events: [...events, enrolled] })[2]).toBe('waiting');
  });

  it('takes nothing of an agent that was there before for a step of this one', () => {
    const before = { ...connected, kubernetesVersion: 'v1.35.0' };
    expect(states({ cluster: before, events: [event('CPR001I')] })).toEqual(['waiting', 'later', 'later', 'later']);
  });
});
