/**
 * Parameters of an address, read strictly: a page declares them once; what the address holds beyond them, or wrongly, is as if it were
 * not there. An address can be written by anybody, so nothing in it is trusted to be one of ours.
 */

/** Reads one parameter: the value, or undefined when the text is none of its values. */
export type Parameter<T> = (text: string) => T | undefined;
export type Shape = Readonly<Record<string, Parameter<unknown>>>;
export type StateOf<S extends Shape> = {
  readonly [K in keyof S]: (S[K] extends Parameter<infer T> ? T : never) | undefined;
};

const longestText = 400;

/** Any text of at most 400 characters. */
export const text: Parameter<string> = (value) => (value === '' || value.length > longestText ? undefined : value);

/** One of the given words. */
export function oneOf<const T extends string>(...among: readonly T[]): Parameter<T> {
  return (value) => among.find((one) => one === value);
}

/** The parameters of a query as the shape reads them. */
export function stateOf<S extends Shape>(
  shape: S,
  query: Readonly<Record<string, string | string[] | undefined>>,
): StateOf<S> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, read]) => {
      const value = query[name];
      const first = Array.isArray(value) ? value[0] : value;
      return [name, first === undefined ? undefined : read(first)];
    }),
  ) as StateOf<S>;
}
