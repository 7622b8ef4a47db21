/** How long: the usual lengths as buttons, any other as text. What the server will refuse is said while it is typed. */
import { For, type JSX } from 'solid-js';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { TextField } from '../kit/Field.tsx';

const usual = ['30m', '1h', '2h', '4h', '8h'] as const;
const day = 86_400;

/** What is wrong with a duration, or undefined. `maximum` in seconds; the server knows the real one. */
export function durationProblem(text: string, maximum: number = 30 * day): string | undefined {
  if (text === '') return undefined;
  try {
    parseDuration(text, { field: 'duration', maxSeconds: maximum });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.message;
    throw thrown;
  }
}

type DurationProps = {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly problem?: string | undefined;
  /** What an empty field means. */
  readonly hint: string;
  readonly maximum?: number;
};

export function DurationField(props: DurationProps): JSX.Element {
  return (
    <div class="space-y-1.5">
      <TextField
        label={props.label}
        value={props.value}
        onValue={props.onValue}
        hint={props.hint}
        problem={durationProblem(props.value, props.maximum) ?? props.problem}
        autocomplete="off"
        placeholder="1h30m"
        mono
      />
      <div class="flex flex-wrap gap-1.5" role="group" aria-label="Usual lengths">
        <For each={usual}>
          {(length) => (
            <button
              type="button"
              class="h-6 rounded-md border border-line bg-surface px-2 text-xs tabular-nums hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent"
              aria-pressed={props.value === length}
              onClick={() => props.onValue(length)}
            >
              {length}
            </button>
          )}
        </For>
      </div>
    </div>
  );
}
