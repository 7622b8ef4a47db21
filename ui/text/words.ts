/** The words of the dashboard for what the API says in enums, and the tone each is shown in. Colour never says it alone. */
import { AccessRequestStatus } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { ClusterStatus } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';

/** How something stands: good, to be looked at, bad, running, over. */
export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'quiet';

export type StatusWord = { readonly word: string; readonly tone: Tone };

const unknown: StatusWord = { word: 'Unknown', tone: 'quiet' };

const ofRequest: Readonly<Record<number, StatusWord>> = {
  [AccessRequestStatus.PENDING]: { word: 'Pending', tone: 'warn' },
  [AccessRequestStatus.APPROVED]: { word: 'Active', tone: 'ok' },
  [AccessRequestStatus.DENIED]: { word: 'Denied', tone: 'bad' },
  [AccessRequestStatus.REVOKED]: { word: 'Revoked', tone: 'bad' },
  [AccessRequestStatus.EXPIRED]: { word: 'Expired', tone: 'quiet' },
  [AccessRequestStatus.WITHDRAWN]: { word: 'Withdrawn', tone: 'quiet' },
};

/** The word of a request's status. */
export const requestWord = (status: AccessRequestStatus): StatusWord => ofRequest[status] ?? unknown;

const ofCluster: Readonly<Record<number, StatusWord>> = {
  [ClusterStatus.PENDING]: { word: 'Waiting for its agent', tone: 'warn' },
  [ClusterStatus.CONNECTED]: { word: 'Connected', tone: 'ok' },
  [ClusterStatus.DISCONNECTED]: { word: 'Disconnected', tone: 'bad' },
};

/** The word of a cluster's status. */
export const clusterWord = (status: ClusterStatus): StatusWord => ofCluster[status] ?? unknown;

const ofSeverity: Readonly<Record<string, StatusWord>> = {
  Info: { word: 'Info', tone: 'info' },
  Warning: { word: 'Warning', tone: 'warn' },
  Error: { word: 'Error', tone: 'bad' },
};

/** The word of an audit event's severity. */
export const severityWord = (severity: string): StatusWord => ofSeverity[severity] ?? unknown;

/** `1 cluster`, `3 clusters`: numbers in sentences. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
