/** The flags by which `roles create` and `roles edit` say how requests for a role are decided. */
import { Option } from 'clipanion';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { parseDuration } from '@clustral/schemas/duration.ts';
import type { ReviewRules, ReviewRulesSchema } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import type { Session } from '../client.ts';
import { flag } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { findUser } from '../lookup.ts';
import { wholeNumber } from '../paging.ts';

const longestSeconds = 366 * 86_400;
const mostApprovals = 5;

export const reviewDetails =
  'Administrators may always review; --reviewer-group and --reviewer name who else may. Whoever asks never decides.\nIn --ticket, # stands for a number: with OPS-# the reason of every request must name a ticket like OPS-4711.';

export abstract class ReviewCommand extends ClustralCommand {
  approvals: string | undefined = Option.String('--approvals', flag('N', 'how many people must approve a request'));
  reviewerGroups: string[] | undefined = Option.Array(
    '--reviewer-group',
    flag('GROUP', 'group of the identity provider that may review, may be repeated'),
  );
  reviewers: string[] | undefined = Option.Array(
    '--reviewer',
    flag('USER', 'e-mail, user name or id of who may review, may be repeated'),
  );
  maxDuration: string | undefined = Option.String('--max-duration', flag('DURATION', 'the longest that is granted'));
  requireReason: boolean = Option.Boolean('--require-reason', false, flag('', 'a request must say why'));
  tickets: string[] | undefined = Option.Array(
    '--ticket',
    flag('FORM', 'ticket that a reason must name, as OPS-#, may be repeated'),
  );

  /** Throws before anything is asked of the server when a flag makes no sense. */
  protected checkReviewFlags(): void {
    if (this.approvals !== undefined) wholeNumber('--approvals', this.approvals, [1, mostApprovals]);
    if (this.maxDuration !== undefined)
      parseDuration(this.maxDuration, { field: '--max-duration', maxSeconds: longestSeconds });
  }

  /** The rules with what the flags say in place of what was; undefined when they say nothing. */
  protected async review(
    session: Session,
    present: ReviewRules | undefined,
  ): Promise<MessageInitShape<typeof ReviewRulesSchema> | undefined> {
    const { approvals, reviewerGroups, reviewers, maxDuration, requireReason, tickets } = this;
    const said = {
      ...(approvals === undefined ? {} : { approvals: Number(approvals) }),
      ...(reviewerGroups === undefined ? {} : { reviewerGroups }),
      ...(reviewers === undefined ? {} : { reviewerIds: await idsOf(session, reviewers) }),
      ...(maxDuration === undefined ? {} : { maxDuration }),
      ...(requireReason ? { reasonRequired: true } : {}),
      ...(tickets === undefined ? {} : { ticketForms: tickets }),
    };
    if (Object.keys(said).length === 0) return undefined;
    const { $typeName: _type, $unknown: _unknown, ...before } = present ?? {};
    return { ...before, ...said };
  }
}

const idsOf = async (session: Session, people: readonly string[]): Promise<string[]> =>
  Promise.all(people.map(async (person) => (await findUser(session, person)).id));
