/**
 * How much may be sent on a stream before the peer asks for more (SPDY protocol, draft 3.1, section 2.6.8).
 *
 * kubectl's SPDY library neither asks for more nor counts what it gets, and Kubernetes' servers do the same: there
 * the connection's own flow control is all there is. So a window is counted from the start and kept only from the
 * moment the peer shows that it takes part.
 */
import { initialWindowSetting } from './frames.ts';

const initialBytes = 65_536;
const largestBytes = 0x7fffffff;

/** What one connection's peer said about windows. */
export class WindowRules {
  /** Whether the peer takes part in flow control. */
  kept = false;
  initial = initialBytes;

  /** Takes notice of a SETTINGS frame; answers by how much the windows of open streams change. */
  apply(entries: readonly { id: number; value: number }[]): number {
    const setting = entries.find(({ id }) => id === initialWindowSetting);
    if (setting === undefined) return 0;
    this.kept = true;
    const change = setting.value - this.initial;
    this.initial = setting.value;
    return change;
  }
}

export class SendWindow {
  readonly #rules: WindowRules;
  #left: number;
  #changed: (() => void) | undefined;
  #closed = false;

  constructor(rules: WindowRules) {
    this.#rules = rules;
    this.#left = rules.initial;
  }

  /** Takes up to so many bytes, waiting until at least one may be sent; 0 when the stream is over. One at a time. */
  async take(wanted: number): Promise<number> {
    while (this.#rules.kept && this.#left <= 0 && !this.#closed) {
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
    if (this.#closed) return 0;
    const taken = this.#rules.kept ? Math.min(wanted, this.#left) : wanted;
    this.#left -= taken;
    return taken;
  }

  /** Adds what the peer has room for; false when that is more than a window can be. */
  add(delta: number): boolean {
    this.#left += delta;
    if (this.#left > largestBytes) return false;
    this.#changed?.();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#changed?.();
  }
}
