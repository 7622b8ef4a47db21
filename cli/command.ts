/** The base of every command: the flags that all share, and how a command comes by a session and prints its answer. */
import { Command, Option } from 'clipanion';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { toRestJson } from '@clustral/schemas/rest-json.ts';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { openSession, type Session } from './client.ts';
import type { CliContext } from './context.ts';
import { formatOf, type Format } from './output.ts';
import { openProfile, requireAccount, type Profile } from './profile.ts';

export abstract class ClustralCommand extends Command<CliContext> {
  profileName: string | undefined = Option.String('--profile', {
    description: 'profile to use instead of the current one',
  });
  output: string = Option.String('-o,--output', 'table', { description: 'table, wide, json, jsonl, yaml or name' });
  timeout: string = Option.String('--timeout', '30s', { description: 'how long a call may take' });
  debug: boolean = Option.Boolean('--debug', false, {
    description: 'say on stderr what is called and how long it took',
  });
  noInput: boolean = Option.Boolean('--no-input', false, { description: 'never ask, fail instead' });
  noColor: boolean = Option.Boolean('--no-color', false, { description: 'no colour (there is none yet)' });

  protected get format(): Format {
    return formatOf(this.output);
  }

  protected openProfile(): Profile {
    return openProfile(this.context.home, this.profileName ?? this.context.env['CLUSTRAL_PROFILE']);
  }

  /** A session of the signed-in account. Throws exit code 4 when nobody is signed in. */
  protected openSession(): Session {
    const profile = this.openProfile();
    const timeoutMs = parseDuration(this.timeout, { field: '--timeout', maxSeconds: 3600 }) * 1000;
    const debug = this.debug || Boolean(this.context.env['CLUSTRAL_DEBUG']);
    return openSession({
      profile,
      ...requireAccount(profile),
      timeoutMs,
      now: this.context.now,
      ...(debug ? { trace: (line: string) => void this.context.stderr.write(`debug: ${line}\n`) } : {}),
    });
  }

  protected say(line: string): void {
    this.context.stderr.write(`${line}\n`);
  }
}

/** A message as the JSON that `-o json` prints. */
export function asJson(schema: DescMessage, message: Message): Record<string, unknown> {
  return toRestJson(schema, message) as Record<string, unknown>;
}
