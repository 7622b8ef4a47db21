/**
 * The services of the admin API, and the table REST path ↔ method that follows from their rules (`options.proto`).
 * Nothing else in the product lists routes or callers by hand: servers, tests and the reference read this table.
 */
import type { DescMethodUnary, DescService } from '@bufbuild/protobuf';
import { getOption } from '@bufbuild/protobuf';
import { AccessService } from './gen/clustral/v1/access_pb.ts';
import { AuditService } from './gen/clustral/v1/audit_pb.ts';
import { ClusterService } from './gen/clustral/v1/clusters_pb.ts';
import { CredentialService } from './gen/clustral/v1/credentials_pb.ts';
import { Callers, rule } from './gen/clustral/v1/options_pb.ts';
import { RoleService } from './gen/clustral/v1/roles_pb.ts';
import { SystemService } from './gen/clustral/v1/system_pb.ts';
import { UserService } from './gen/clustral/v1/users_pb.ts';

/** Services that the control plane answers. */
export const controlPlaneServices = [
  ClusterService,
  RoleService,
  UserService,
  AccessService,
  CredentialService,
  SystemService,
] as const;
/** Services that the audit service answers. */
export const auditServices = [AuditService] as const;
/** The whole admin API. */
export const adminServices: readonly DescService[] = [...controlPlaneServices, ...auditServices];

/** Who may call a method, in words. */
export type CallerRule = 'anyone' | 'person' | 'owner' | 'reader' | 'admin';

/** One row of the table. `path` has `{field}` segments, fields of the request by their JSON name. */
export type Route = {
  readonly service: DescService;
  readonly method: DescMethodUnary;
  readonly verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly status: number;
  readonly callers: CallerRule;
  readonly command: boolean;
};

const callerWords: Readonly<Record<number, CallerRule>> = {
  [Callers.ANYONE]: 'anyone',
  [Callers.PERSON]: 'person',
  [Callers.OWNER]: 'owner',
  [Callers.READER]: 'reader',
  [Callers.ADMIN]: 'admin',
};

/** The rows of the given services. Throws when a method lacks a rule: deny by default begins at start-up. */
export function routesOf(services: readonly DescService[]): readonly Route[] {
  return services.flatMap((service) => service.methods.map((method) => routeOf(service, method as DescMethodUnary)));
}

function routeOf(service: DescService, method: DescMethodUnary): Route {
  const { rest, status, callers, command } = getOption(method, rule);
  const [verb, path] = rest.split(' ');
  const words = callerWords[callers];
  if (!verb || !path || !words) throw new Error(`method ${service.typeName}/${method.name} has no rule in its schema`);
  return {
    service,
    method,
    verb: verb as Route['verb'],
    path: path.replace(/\{(\w+)\}/g, (_, field: string) => `{${jsonName(field)}}`),
    status: status || 200,
    callers: words,
    command,
  };
}

const jsonName = (field: string): string => field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
