/**
 * The parts of a kubeconfig as they stand in the file: looked up by name, and read one value at a time. It knows nothing of what the
 * values mean. The rule it lives by: what is not of the shape that kubectl wants is an error of the file, said in one sentence
 * that shows no value.
 */
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { FileOrText } from './kubernetes-config.ts';

/** Why a kubeconfig cannot be used: one sentence that names the file, and nothing secret in it. */
export class KubeconfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KubeconfigError';
  }
}

const mostCharacters = 1_048_576;

/** Gives a file's text, or throws node's error. */
export type ReadFile = (path: string) => string;

/** Where the kubeconfig lies: an absolute path. */
type Place = { readonly path: string; readonly readFile: ReadFile };

type Values = Readonly<Record<string, unknown>>;

/** The file as a whole, or one of its clusters, contexts and users. */
export class Section {
  readonly #readFile: ReadFile;
  readonly #path: string;
  /** What a sentence calls it, such as `User "dev"`; empty for the file as a whole. */
  readonly #called: string;
  readonly #values: Values;

  private constructor({ path, readFile }: Place, called: string, values: Values) {
    this.#readFile = readFile;
    this.#path = path;
    this.#called = called;
    this.#values = values;
  }

  /** Throws `KubeconfigError` when the file cannot be read or holds something else. */
  static ofFile(place: Place): Section {
    const empty = new Section(place, '', {});
    const text = empty.read(place);
    if (text.length > mostCharacters) throw empty.error('is larger than 1 MiB.');
    try {
      // Everything is text: numbers and `yes` are tokens and names here, not numbers and truths.
      const values: unknown = parse(text, { schema: 'failsafe' });
      if (isMap(values)) return new Section(place, '', values);
    } catch {
      // The parser's message shows the lines around, and with them secrets.
    }
    throw empty.error('is not a kubeconfig: it must be a YAML mapping.');
  }

  /** A sentence about this part; `what` goes on from its name. */
  error(what: string): KubeconfigError {
    const file = `kubeconfig ${this.#path}`;
    return new KubeconfigError(this.#called === '' ? `The ${file} ${what}` : `${this.#called} of the ${file} ${what}`);
  }

  /** True when there is something by that name. */
  has(key: string): boolean {
    const value = this.#values[key];
    return value !== undefined && !isNothing(value);
  }

  /** Undefined when it is not there or empty. */
  text(key: string): string | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#values[key];
    if (typeof value !== 'string') throw this.error(`has something else than text as ${key}.`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.text(key)?.toLowerCase() ?? 'false';
    if (value !== 'true' && value !== 'false') throw this.error(`has something else than true or false as ${key}.`);
    return value === 'true';
  }

  /** The cluster, context or user that `key` of this part names, from the list of the whole file. */
  named(key: 'cluster' | 'user' | 'current-context', whole: Section): Section {
    const name = this.text(key);
    if (name === undefined) throw this.error(`names no ${key}.`);
    const kind = key === 'current-context' ? 'context' : key;
    const list = whole.#values[`${kind}s`];
    const found = (Array.isArray(list) ? list : []).find((entry) => isMap(entry) && entry['name'] === name) as
      | Values
      | undefined;
    if (!found) throw this.error(`names the ${kind} ${JSON.stringify(name)}, which is not there.`);
    const values = found[kind];
    const called = `The ${kind} ${JSON.stringify(name)}`;
    return new Section({ path: this.#path, readFile: this.#readFile }, called, isMap(values) ? values : {});
  }

  /** What `key` names as a file, or `key-data` holds in base64, which goes first as with kubectl. */
  pem(key: string): FileOrText | undefined {
    const data = this.text(`${key}-data`);
    if (data === undefined) return this.file(key);
    const text = Buffer.from(data, 'base64').toString('utf8');
    if (!text.includes('-----BEGIN ')) throw this.error(`has no PEM in base64 as ${key}-data.`);
    return { text };
  }

  /** The file that `key` names, relative to where the kubeconfig lies. */
  file(key: string): { readonly path: string } | undefined {
    const path = this.text(key);
    return path === undefined ? undefined : { path: resolve(dirname(this.#path), path) };
  }

  /** The text of a file, or of what `pem` found. */
  read(source: FileOrText): string {
    if ('text' in source) return source.text;
    try {
      return this.#readFile(source.path);
    } catch (cause) {
      const reason = `cannot be read (${(cause as NodeJS.ErrnoException).code}).`;
      throw this.error(source.path === this.#path ? reason : `names ${source.path}, which ${reason}`);
    }
  }
}

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);

// An empty value, and YAML's two words for none.
const isNothing = (value: unknown): boolean => value === '' || value === '~' || value === 'null';
