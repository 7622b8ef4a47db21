/**
 * Branded ids and the parsers that make them. An id is parsed once, at the edge, and trusted inside. All ids are UUIDs
 * in lower case; upper-case hex is taken as the same id (PX-01), braces and missing dashes are not.
 */
import { Refusal, type ErrorCode } from './errors.ts';

type Brand<T, B extends string> = T & { readonly __brand: B };

export type ClusterId = Brand<string, 'ClusterId'>;
export type RoleId = Brand<string, 'RoleId'>;
export type UserId = Brand<string, 'UserId'>;
/** The `jti` of a kubeconfig token. */
export type CredentialId = Brand<string, 'CredentialId'>;
/** Made by the server for each proxied request; sent to the API server as `Audit-ID` (D19, D28). */
export type RequestId = Brand<string, 'RequestId'>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for a UUID in its 36-character form, either case. */
export function isUuid(text: string): boolean {
  return text.length === 36 && uuid.test(text);
}

function parse(text: string, kind: { code: ErrorCode; field: string; what: string }): string {
  if (isUuid(text)) return text.toLowerCase();
  const shown = JSON.stringify(text.slice(0, 60));
  throw new Refusal(kind.code, `${shown} is not the id of a ${kind.what}: it must be a UUID of 36 characters.`, {
    field: kind.field,
  });
}

/** Throws `INVALID_CLUSTER_ID` unless the text is a UUID. */
export const parseClusterId = (text: string): ClusterId =>
  parse(text, { code: 'INVALID_CLUSTER_ID', field: 'clusterId', what: 'cluster' }) as ClusterId;
/** Throws `VALIDATION_ERROR` on field `roleId` unless the text is a UUID. */
export const parseRoleId = (text: string): RoleId =>
  parse(text, { code: 'VALIDATION_ERROR', field: 'roleId', what: 'role' }) as RoleId;
/** Throws `VALIDATION_ERROR` on field `userId` unless the text is a UUID. */
export const parseUserId = (text: string): UserId =>
  parse(text, { code: 'VALIDATION_ERROR', field: 'userId', what: 'person' }) as UserId;
/** Throws `VALIDATION_ERROR` on field `credentialId` unless the text is a UUID. */
export const parseCredentialId = (text: string): CredentialId =>
  parse(text, { code: 'VALIDATION_ERROR', field: 'credentialId', what: 'credential' }) as CredentialId;
