/**
 * The `Control` stream of a connection: hello, then heartbeats up and messages down until either side ends it. With it the
 * connection lives and dies: whoever stops talking on it has left.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AgentHello, ControlDownSchema, ControlUp } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { idleLanes, mostLanes, type AgentProcess, type Connection, type ControlMessage } from './connection.ts';
import { Outbox } from '@clustral/kernel/outbox.ts';

type Down = MessageInitShape<typeof ControlDownSchema>;

const heartbeatIntervalMs = 30_000;
/** Texts that an agent says of itself are cut to this (TN-16). */
const longestText = 64;

export type ControlDeps = {
  readonly epoch: number;
  readonly trustBundlePem: string;
  readonly now: () => Date;
  /** Makes the connection known. Throws when it may not be. */
  readonly open: (process: AgentProcess, outbox: Outbox<ControlMessage>) => Connection;
  /** It is over, whoever ended it. */
  readonly close: (connection: Connection) => void;
  readonly signal: AbortSignal;
};

/** Speaks on one stream. A stream without a hello is ended by the session's own deadline. */
export async function* speak(requests: AsyncIterable<ControlUp>, deps: ControlDeps): AsyncGenerator<Down> {
  const incoming = requests[Symbol.asyncIterator]();
  const first = await incoming.next();
  if (first.done || first.value.message.case !== 'hello') {
    throw new Refusal('BAD_REQUEST', 'The first message of an agent must be its hello.');
  }
  const outbox = new Outbox<ControlMessage>();
  const connection = deps.open(processOf(first.value.message.value), outbox);
  deps.signal.addEventListener('abort', () => outbox.close(), { once: true });
  try {
    const listening = listen(incoming, connection, deps.now).finally(() => outbox.close());
    // Whatever ends the listening ends the speaking; there is nothing to learn from how.
    listening.catch(() => undefined);
    yield hello(deps.epoch);
    yield { message: { case: 'trustBundle', value: { caBundlePem: deps.trustBundlePem } } };
    for await (const message of outbox) yield { message };
  } finally {
    deps.close(connection);
  }
}

function hello(epoch: number): Down {
  return {
    message: {
      case: 'hello',
      value: { epoch: BigInt(epoch), heartbeatIntervalMs, idleLanes, maxLanes: mostLanes },
    },
  };
}

function processOf(hello: AgentHello): AgentProcess {
  const instanceId = hello.instanceId.slice(0, longestText);
  if (instanceId === '') throw new Refusal('BAD_REQUEST', 'The hello of an agent must say which process it is.');
  return {
    instanceId,
    agentVersion: hello.agentVersion.slice(0, longestText),
    kubernetesVersion: hello.kubernetesVersion.slice(0, longestText),
  };
}

async function listen(incoming: AsyncIterator<ControlUp>, connection: Connection, now: () => Date): Promise<void> {
  for (;;) {
    const next = await incoming.next();
    if (next.done) return;
    switch (next.value.message.case) {
      case 'heartbeat':
        connection.lastHeartbeatAt = now();
        break;
      case 'drain':
        connection.drain();
        break;
      // A message that a newer agent sends and this build does not know.
      default:
    }
  }
}
