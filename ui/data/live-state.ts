/**
 * How fresh what is shown is: the pure half of the live layer. It takes what was heard and says what the dot in the bar and the
 * banner over the page tell; it starts nothing.
 *
 *   connecting --heard--> live | polling --silence of 45 s, failure--> lost --heard--> live | polling
 *                                        --hidden for 5 min--> paused --shown--> connecting
 */

/** After this silence nobody calls what is shown live any more; the server's heartbeat comes every 15 s. */
export const silenceLimitMs = 45_000;
/** A tab that nobody sees stops listening after this. */
export const hiddenLimitMs = 5 * 60_000;

/** `watch`: the server says what changed. `poll`: it cannot, so the dashboard asks. */
export type LiveMode = 'watch' | 'poll';

export type LiveState =
  | { readonly status: 'connecting' }
  | { readonly status: 'current'; readonly mode: LiveMode; readonly heardAt: number }
  | {
      readonly status: 'lost';
      readonly since: number;
      readonly asOf: number | undefined;
      readonly retryAt: number | undefined;
    }
  | { readonly status: 'paused'; readonly asOf: number | undefined };

export type LiveSignal =
  | { readonly type: 'heard'; readonly at: number; readonly mode: LiveMode }
  | { readonly type: 'failed'; readonly at: number; readonly retryAt: number }
  | { readonly type: 'tick'; readonly at: number }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' };

/** The state after a signal. The same object when nothing changed. */
export function nextLiveState(state: LiveState, signal: LiveSignal): LiveState {
  switch (signal.type) {
    case 'heard':
      return { status: 'current', mode: signal.mode, heardAt: signal.at };
    case 'failed':
      return afterFailure(state, signal);
    case 'tick':
      return state.status === 'current' && signal.at - state.heardAt > silenceLimitMs
        ? { status: 'lost', since: state.heardAt, asOf: state.heardAt, retryAt: undefined }
        : state;
    case 'paused':
      return { status: 'paused', asOf: asOf(state) };
    case 'resumed':
      return state.status === 'paused' ? { status: 'connecting' } : state;
    default:
      return signal satisfies never;
  }
}

function afterFailure(state: LiveState, { at, retryAt }: { readonly at: number; readonly retryAt: number }): LiveState {
  if (state.status === 'paused') return state;
  if (state.status === 'lost') return { ...state, retryAt };
  // One lost heartbeat or one failed question is no reason to alarm anybody: silence decides.
  if (state.status === 'current') return state;
  return { status: 'lost', since: at, asOf: undefined, retryAt };
}

function asOf(state: LiveState): number | undefined {
  if (state.status === 'current') return state.heardAt;
  return state.status === 'connecting' ? undefined : state.asOf;
}
