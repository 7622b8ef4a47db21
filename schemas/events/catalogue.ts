/**
 * The event catalogue: each fact type's audit code, category and severity. Types that are not here never reach the audit
 * log. Severity of `proxy.request` rises to Warning for a status of 400 and above (behaviour.md 5).
 */
import type { AccessFact } from './access.ts';
import type { AgentFact } from './agent.ts';
import type { ClusterFact } from './cluster.ts';
import type { CredentialFact } from './credential.ts';
import type { LeaseFact } from './lease.ts';
import type { ProxyFact } from './proxy.ts';
import type { RoleFact } from './role.ts';
import type { UserFact } from './user.ts';

/** Every fact that the product stores. */
export type AnyFact =
  | ClusterFact
  | RoleFact
  | UserFact
  | AccessFact
  | CredentialFact
  | ProxyFact
  | AgentFact
  | LeaseFact;
export type FactType = AnyFact['type'];

export type AuditCategory = 'access_requests' | 'credentials' | 'clusters' | 'roles' | 'auth' | 'proxy' | 'system';
export type AuditSeverity = 'Info' | 'Warning' | 'Error';
export type CatalogueEntry = {
  readonly code: string;
  readonly category: AuditCategory;
  readonly severity: AuditSeverity;
  readonly success: boolean;
};

const info = (code: string, category: AuditCategory): CatalogueEntry => ({
  code,
  category,
  severity: 'Info',
  success: true,
});
const warning = (code: string, category: AuditCategory, success: boolean): CatalogueEntry => ({
  code,
  category,
  severity: 'Warning',
  success,
});

/** Fact type → audit code, category, severity, and whether what was attempted succeeded. */
export const eventCatalogue: Readonly<Record<FactType, CatalogueEntry>> = {
  'access_request.created': info('CAR001I', 'access_requests'),
  'access_request.approved': info('CAR002I', 'access_requests'),
  'access_request.denied': warning('CAR003W', 'access_requests', true),
  'access_request.revoked': info('CAR004I', 'access_requests'),
  'access_request.expired': info('CAR005I', 'access_requests'),
  'access_request.withdrawn': info('CAR006I', 'access_requests'),
  'access_request.approval_given': info('CAR007I', 'access_requests'),
  'credential.issued': info('CCR001I', 'credentials'),
  'credential.revoked': info('CCR002I', 'credentials'),
  'credential.revoke_denied': warning('CCR003W', 'credentials', false),
  'credential.issue_failed': warning('CCR004W', 'credentials', false),
  'cluster.registered': info('CCL001I', 'clusters'),
  'cluster.connected': info('CCL002I', 'clusters'),
  'cluster.disconnected': warning('CCL003W', 'clusters', true),
  'cluster.deleted': info('CCL004I', 'clusters'),
  'cluster.updated': info('CCL005I', 'clusters'),
  'cluster.bootstrap_token_issued': info('CCL006I', 'clusters'),
  'cluster.agent_enrolled': info('CCL007I', 'clusters'),
  'cluster.agent_renewed': info('CCL008I', 'clusters'),
  'cluster.agent_revoked': warning('CCL009W', 'clusters', true),
  'role.created': info('CRL001I', 'roles'),
  'role.updated': info('CRL002I', 'roles'),
  'role.deleted': info('CRL003I', 'roles'),
  'user.synced': info('CUA001I', 'auth'),
  'user.role_assigned': info('CUA002I', 'auth'),
  'user.role_unassigned': info('CUA003I', 'auth'),
  'user.disabled': warning('CUA004W', 'auth', true),
  'user.enabled': info('CUA005I', 'auth'),
  'proxy.request': info('CPR001I', 'proxy'),
  'proxy.access_denied': warning('CPR002W', 'proxy', false),
  'proxy.gap': warning('CPR003W', 'proxy', false),
  'proxy.day_closed': info('CPR004I', 'proxy'),
  'proxy.day_deleted': info('CPR005I', 'proxy'),
  'agent.auth_failed': warning('CAG001W', 'auth', false),
  'control_plane.took_over': warning('CSY001W', 'system', true),
};

/** True for a type this build knows; an unknown one stops a projection and denies the affected subject (ES-04). */
export function isFactType(type: string): type is FactType {
  return Object.hasOwn(eventCatalogue, type);
}

/** Prefixes of the streams that decide who may do what; the in-process fold and the projections read them (D16). */
export const policyPrefixes = ['cluster-', 'role-', 'user-', 'access-', 'credential-', 'lease-control_plane'] as const;
/** Prefixes of everything that the audit shows. */
export const auditPrefixes = [...policyPrefixes, 'proxy-', 'proxy_days-', 'agent_auth-'] as const;
