/**
 * Configuration from environment variables, by their flat names. A service states what it reads as one zod object; all that
 * is wrong is said at once, with variable, what came and what was wanted. Every secret `X` may come as `X_FILE`. It reads no
 * file but those and has no defaults of its own.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Refusal } from '@clustral/schemas/errors.ts';
import { parseConfiguredDuration } from '@clustral/schemas/duration.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with the configuration, one line per variable. The process refuses to start with it. */
export class ConfigurationError extends Error {
  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}

/** Reads and checks the variables that `shape` names. Throws `ConfigurationError` with every problem. */
export function readConfig<Shape extends z.ZodRawShape>(
  environment: Environment,
  shape: Shape,
): z.infer<z.ZodObject<Shape>> {
  const problems: string[] = [];
  const values = Object.fromEntries(Object.keys(shape).map((name) => [name, valueOf(name, environment, problems)]));
  const result = z.object(shape).safeParse(values);
  if (!result.success) {
    for (const issue of result.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  }
  if (problems.length > 0 || !result.success) throw new ConfigurationError(problems);
  return result.data;
}

function valueOf(name: string, environment: Environment, problems: string[]): string | undefined {
  const direct = environment[name];
  const file = environment[`${name}_FILE`];
  if (direct !== undefined && direct !== '') return direct;
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (cause) {
    problems.push(`${name}_FILE: cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

/** Text that must be there. */
export const text = (): z.ZodString => z.string('is not set');

/** A whole number from `min` to `max`. */
export const integer = (min: number, max: number): z.ZodPipe<z.ZodCoercedNumber, z.ZodNumber> =>
  z.coerce.number().pipe(z.number().int().min(min).max(max));

/** `true` or `false`. */
export const flag = (): z.ZodPipe<
  z.ZodEnum<{ true: 'true'; false: 'false' }>,
  z.ZodTransform<boolean, 'true' | 'false'>
> => z.enum(['true', 'false']).transform((word) => word === 'true');

/** A comma-separated list, blanks around items cut, empty items dropped. */
export const list = (): z.ZodPipe<z.ZodString, z.ZodTransform<string[], string>> =>
  z.string().transform((line) =>
    line
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** A duration in seconds: strict grammar or `hh:mm:ss` (D23). */
export const seconds = (field: string, maxSeconds: number): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> =>
  z.string().transform((line, context) => {
    try {
      return parseConfiguredDuration(line, { field, maxSeconds });
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      context.issues.push({ code: 'custom', message: refusal.message, input: line });
      return z.NEVER;
    }
  });

/** How the product runs: `production` in every image, `embedded` under `npm start`. */
export const clustralEnvironment = (): z.ZodDefault<z.ZodEnum<{ production: 'production'; embedded: 'embedded' }>> =>
  z.enum(['production', 'embedded']).default('production');

/**
 * Refuses the settings that are for trying out only when the product runs in production (SC-01). `unsafe` maps a
 * variable to true when its value must not be used there.
 */
export function refuseInProduction(
  environment: 'production' | 'embedded',
  unsafe: Readonly<Record<string, boolean>>,
): void {
  if (environment !== 'production') return;
  const named = Object.entries(unsafe).filter(([, isUnsafe]) => isUnsafe);
  if (named.length === 0) return;
  throw new ConfigurationError(
    named.map(([name]) => `${name}: this value is for trying out only, not for CLUSTRAL_ENV=production`),
  );
}
