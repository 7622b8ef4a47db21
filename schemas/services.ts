/**
 * The services of the admin API, and the table REST path ↔ method that follows from their rules (`options.proto`).
 * Nothing else in the product lists routes or callers by hand: servers, tests and the reference read this table.
 */
import type { DescMethod, DescMethodServerStreaming, DescMethodUnary, DescService } from '@bufbuild/protobuf';
import { getOption } from '@bufbuild/protobuf';
import { isErrorCode, type ErrorCode } from './errors.ts';
import { AccessService } from './gen/clustral/v1/access_pb.ts';
import { AuditService } from './gen/clustral/v1/audit_pb.ts';
import { ClusterService } from './gen/clustral/v1/clusters_pb.ts';
import { CredentialService } from './gen/clustral/v1/credentials_pb.ts';
import { Callers, rule, Stability } from './gen/clustral/v1/options_pb.ts';
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

/** Who may call a method, in words (`Callers` in `options.proto` says what each means). */
export type CallerRule = 'anyone' | 'person' | 'owner' | 'reader' | 'admin' | 'acting' | 'reviewer' | 'requester';

/** What every method's rule says. */
type Ruled = {
  readonly service: DescService;
  readonly callers: CallerRule;
  /** Codes with which this method says no, besides those that every method has. */
  readonly errors: readonly ErrorCode[];
  readonly isBeta: boolean;
};

/** One row of the table. `path` has `{field}` segments, fields of the request by their JSON name. */
export type Route = Ruled & {
  readonly method: DescMethodUnary;
  readonly verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly status: number;
  readonly command: boolean;
};

/** A method that answers with a stream: Connect only, and never a command. */
export type StreamRoute = Ruled & { readonly method: DescMethodServerStreaming };

const callerWords: Readonly<Record<number, CallerRule>> = {
  [Callers.ANYONE]: 'anyone',
  [Callers.PERSON]: 'person',
  [Callers.OWNER]: 'owner',
  [Callers.READER]: 'reader',
  [Callers.ADMIN]: 'admin',
  [Callers.ACTING]: 'acting',
  [Callers.REVIEWER]: 'reviewer',
  [Callers.REQUESTER]: 'requester',
};

/** The rows of the given services. Throws when a method lacks a rule: deny by default begins at start-up. */
export function routesOf(services: readonly DescService[]): readonly Route[] {
  return methodsOf(services).flatMap(({ service, method }) => (isUnary(method) ? [routeOf(service, method)] : []));
}

/** The methods that answer with a stream. Throws when one lacks a rule. */
export function streamsOf(services: readonly DescService[]): readonly StreamRoute[] {
  return methodsOf(services).flatMap(({ service, method }) =>
    isStream(method) ? [{ ...ruledOf(service, method), method }] : [],
  );
}

const methodsOf = (services: readonly DescService[]) =>
  services.flatMap((service) => service.methods.map((method) => ({ service, method })));

const isUnary = (method: DescMethod): method is DescMethodUnary & DescMethod => method.methodKind === 'unary';
const isStream = (method: DescMethod): method is DescMethodServerStreaming & DescMethod =>
  method.methodKind === 'server_streaming';

function routeOf(service: DescService, method: DescMethodUnary): Route {
  const { rest, status, command } = getOption(method, rule);
  const [verb, path] = rest.split(' ');
  if (!verb || !path) throw new Error(`method ${service.typeName}/${method.name} has no path in its schema`);
  return {
    ...ruledOf(service, method),
    method,
    verb: verb as Route['verb'],
    path: path.replace(/\{(\w+)\}/g, (_, field: string) => `{${jsonName(field)}}`),
    status: status || 200,
    command,
  };
}

function ruledOf(service: DescService, method: DescMethod): Ruled {
  const { callers, errors, stability } = getOption(method, rule);
  const words = callerWords[callers];
  if (!words) throw new Error(`method ${service.typeName}/${method.name} has no rule in its schema`);
  return { service, callers: words, errors: errors.filter(isErrorCode), isBeta: stability === Stability.BETA };
}

const jsonName = (field: string): string => field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
