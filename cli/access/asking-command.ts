/**
 * The base of commands that ask for access: for how long, why, whom to tell, and with --wait staying until somebody has
 * decided.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'clipanion';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { AccessService, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Session } from '../client.ts';
import { flag } from '../command-table.ts';
import { ClustralCommand, type CallOptions } from '../command.ts';
import { describeFailure } from '../explain.ts';
import { exitCodes } from '../failure.ts';
import { visible } from '../text.ts';
import { printRequest } from './print-request.ts';
import { approvedOrThrow, waitForDecision } from './wait.ts';

const longestSeconds = 366 * 86_400;
const callTimeoutMs = 30_000;
/** Longer than any server lets a request stand open. */
const longestWaitMs = 7 * 86_400_000;

export const waitDetails =
  'With --wait it ends with 0 when the request was approved, 5 when it was denied, 7 when nobody decided in the time\nthat --timeout names; without --timeout it waits until the request expires.';

/** What is asked for beside the flags that all of these commands have. */
export type Wish = {
  readonly clusterId: string;
  readonly roleId: string;
  readonly startsAt?: Date | undefined;
  /** Id of the request whose access is to be prolonged. */
  readonly extends?: string | undefined;
};

export abstract class AskingCommand extends ClustralCommand {
  duration: string | undefined = Option.String(
    '--for',
    flag('DURATION', "how long, e.g. 2h; the server's default when left out"),
  );
  reason: string = Option.String('--reason', '', flag('TEXT', 'why, for whoever decides; a role may ask for a ticket'));
  reviewers: string[] = Option.Array('--reviewer', [], flag('E-MAIL', 'who is told of it; may be repeated'));
  wait: boolean = Option.Boolean('--wait', false, flag('', 'wait until it is decided'));

  /** Throws before anything is asked of the server when a flag makes no sense. */
  protected checkFlags(): void {
    if (this.duration !== undefined) parseDuration(this.duration, { field: '--for', maxSeconds: longestSeconds });
  }

  /** Asks, waits when that is wanted, and prints the request. */
  protected async ask(session: Session, { clusterId, roleId, startsAt, extends: extended = '' }: Wish): Promise<void> {
    const asked = await session.client(AccessService).requestAccess({
      clusterId,
      roleId,
      reason: this.reason,
      duration: this.duration ?? '',
      suggestedReviewerEmails: this.reviewers,
      extends: extended,
      ...(startsAt === undefined ? {} : { startsAt: timestampFromDate(startsAt) }),
    });
    const request = this.wait ? await this.decided(session, asked) : asked;
    await printRequest(this.context, this.format, request);
    this.sayNext(request);
  }

  /** With --wait, --timeout is for the waiting; each call in it has the usual time. */
  protected override async callOptions(): Promise<CallOptions> {
    const call = await super.callOptions();
    return this.wait ? { ...call, timeoutMs: Math.min(call.timeoutMs, callTimeoutMs) } : call;
  }

  private async decided(session: Session, asked: AccessRequest): Promise<AccessRequest> {
    this.say(`Request ${asked.id} waits for a decision: clustral access approve ${asked.id}`);
    const limitMs = this.timeout === undefined ? longestWaitMs : (await super.callOptions()).timeoutMs;
    const decided = await waitForDecision({
      look: () => session.client(AccessService).getAccessRequest({ id: asked.id }),
      isPassing: (thrown) => describeFailure(thrown).exitCode === exitCodes.unavailable,
      now: () => this.context.now().getTime(),
      sleep,
      random: Math.random,
      limitMs,
    });
    return approvedOrThrow(decided);
  }

  private sayNext({ id, clusterName, review, extends: extended }: AccessRequest): void {
    const others = review === undefined || review.approvals < 2 ? 'somebody' : `${review.approvals} people`;
    if (!this.wait) this.say(`  next: ${others} who may decide it: clustral access approve ${visible(id)}`);
    else if (extended === '') this.say(`  next: clustral kube login ${visible(clusterName)}`);
  }
}
