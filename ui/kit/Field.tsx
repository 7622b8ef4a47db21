/** Fields of a form: a label that stays, what is expected, and what the server found wrong beside the field it is about. */
import { createUniqueId, For, Show, splitProps, type JSX } from 'solid-js';

type FieldWords = {
  readonly label: string;
  readonly hint?: JSX.Element;
  /** What is wrong with it, in a sentence. */
  readonly problem?: string | undefined;
  readonly isOptional?: boolean;
};

type Control = {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': 'true' | undefined;
};

/** The frame of one field. `children` is the control, given its ids. */
function Field(props: FieldWords & { readonly children: (control: Control) => JSX.Element }): JSX.Element {
  const id = createUniqueId();
  const described = (): string | undefined =>
    [props.hint ? `${id}-hint` : '', props.problem ? `${id}-problem` : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class="space-y-1">
      <label for={id} class="flex items-baseline gap-2 text-sm font-medium">
        {props.label}
        <Show when={props.isOptional}>
          <span class="text-xs font-normal text-faint">optional</span>
        </Show>
      </label>
      {props.children({
        id,
        get 'aria-describedby'() {
          return described();
        },
        get 'aria-invalid'() {
          return props.problem ? ('true' as const) : undefined;
        },
      })}
      <Show when={props.hint}>
        <p id={`${id}-hint`} class="text-xs text-soft">
          {props.hint}
        </p>
      </Show>
      <Show when={props.problem}>
        <p id={`${id}-problem`} class="text-xs font-medium text-bad" role="alert">
          {props.problem}
        </p>
      </Show>
    </div>
  );
}

type InputProps = FieldWords &
  Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'value' | 'onInput'> & {
    readonly value: string;
    readonly onValue: (value: string) => void;
    readonly mono?: boolean;
  };

const words = ['label', 'hint', 'problem', 'isOptional'] as const;

export function TextField(props: InputProps): JSX.Element {
  const [own, rest] = splitProps(props, [...words, 'value', 'onValue', 'mono', 'class']);
  return (
    <Field {...own}>
      {(control) => (
        <input
          {...rest}
          {...control}
          class={`input ${own.mono ? 'font-mono' : ''} ${own.class ?? ''}`}
          value={own.value}
          onInput={(event) => own.onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

type AreaProps = FieldWords & {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly rows?: number;
  readonly maxlength?: number;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly mono?: boolean;
};

export function AreaField(props: AreaProps): JSX.Element {
  return (
    <Field {...props}>
      {(control) => (
        <textarea
          {...control}
          class={`input resize-y ${props.mono ? 'font-mono' : ''}`}
          rows={props.rows ?? 3}
          maxlength={props.maxlength}
          placeholder={props.placeholder}
          required={props.required}
          value={props.value}
          onInput={(event) => props.onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export type Choice = { readonly value: string; readonly text: string };

type SelectProps = FieldWords & {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly choices: readonly Choice[];
  /** What stands there while nothing is chosen. */
  readonly none?: string;
  readonly required?: boolean;
};

/** The browser's own list: it works with every keyboard, screen reader and telephone. */
export function SelectField(props: SelectProps): JSX.Element {
  return (
    <Field {...props}>
      {(control) => (
        <select
          {...control}
          class="input"
          required={props.required}
          onChange={(event) => props.onValue(event.currentTarget.value)}
        >
          <Show when={props.none !== undefined}>
            <option value="" selected={props.value === ''}>
              {props.none}
            </option>
          </Show>
          <For each={props.choices}>
            {(choice) => (
              <option value={choice.value} selected={choice.value === props.value}>
                {choice.text}
              </option>
            )}
          </For>
        </select>
      )}
    </Field>
  );
}
