/**
 * What caused a command of the admin API: the metadata of its facts (D27), and ids that a repeated call gives again
 * (G2).
 */
import { createHash, randomUUID } from 'node:crypto';
import { toJson, type DescMessage, type JsonValue, type MessageShape } from '@bufbuild/protobuf';
import { storedOrigin } from '@clustral/schemas/events/person.ts';
import type { Call } from '@clustral/kernel/api.ts';
import { derivedUuid } from '../derived-id.ts';
import { callerId } from '../person.ts';
import type { Cause } from '../ports.ts';

/** The cause of a fact that no Idempotency-Key stands for. */
export function causeOf(call: Call): Cause {
  if (call.claims === undefined) throw new Error('a command was called by nobody');
  return {
    actor: { kind: 'user', id: callerId(call.claims) },
    $correlationId: call.correlationId,
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
    ...storedOrigin({ sourceAddress: call.sourceAddress, userAgent: call.userAgent }),
  };
}

/**
 * The cause of a command. With an Idempotency-Key it holds hashes of key, actor and method, and of the request (D33).
 */
export function commandCause<D extends DescMessage>(
  call: Call,
  method: { readonly name: string; readonly input: D },
  request: MessageShape<D>,
): Cause {
  const cause = causeOf(call);
  if (call.idempotencyKey === undefined) return cause;
  const key = sha256([call.idempotencyKey, cause.actor.id, method.name].join('\0'));
  return { ...cause, idempotency: { key, body: sha256(canonical(toJson(method.input, request))) } };
}

/** An id for something new: random, or the same again for the same Idempotency-Key. */
export function newId(kind: string, { idempotency }: Cause): string {
  return idempotency === undefined ? randomUUID() : derivedUuid(kind, idempotency.key);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}
