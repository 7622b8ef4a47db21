/**
 * pods/NAME/attach: shows what the main process of a container prints from now on, the lines that its log shows too.
 * What is typed is taken and goes nowhere: there is no process to read it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ignoreLeaving, type Input } from '../byte-queue.ts';
import type { Call } from '../call.ts';
import { logEntries } from '../logs.ts';
import { textAt } from '../objects.ts';
import { openStreams } from './open-streams.ts';
import { wantedStreams, type RemoteStreams } from './streams.ts';
import { needUpgrade, targetOf, type Target } from './target.ts';

const secondMs = 1000;

/** @throws ApiError before the connection is upgraded */
export async function answerAttach(call: Call): Promise<void> {
  const target = targetOf(call);
  const wanted = wantedStreams(call);
  needUpgrade(call);
  await call.cluster.sessions.hold(call.exchange, target.pod, async (signal) => {
    const streams = await openStreams(call.exchange, wanted);
    ignoreAll(streams.stdin, signal).catch(ignoreLeaving);
    await follow(call, target, { streams, signal });
    await streams.finish(0);
  });
}

async function follow(
  { cluster }: Call,
  { pod, container, startMs }: Target,
  { streams, signal }: { streams: RemoteStreams; signal: AbortSignal },
): Promise<void> {
  const [name, image] = [textAt(container, 'name'), textAt(container, 'image')];
  const printing = { name: pod.metadata.name, container: name, image, startMs };
  for (let shownMs = cluster.world.now().getTime(); !signal.aborted;) {
    await nextSecond(secondMs - ((shownMs - startMs) % secondMs), signal);
    const untilMs = cluster.world.now().getTime();
    const entries = logEntries(printing, untilMs, { sinceMs: shownMs + 1 });
    const text = entries.map((entry) => `${entry.text}\n`).join('');
    if (text !== '' && !signal.aborted) await streams.stdout?.write(Buffer.from(text));
    shownMs = Math.max(shownMs, untilMs);
  }
}

/** Sleeps until the next line, or until the session is over. */
async function nextSecond(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

async function ignoreAll(input: Input | undefined, signal: AbortSignal): Promise<void> {
  while ((await input?.read(signal)) !== undefined) continue;
}
