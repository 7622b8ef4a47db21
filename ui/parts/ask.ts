/** From the fields of the form that asks for access to the message; the server decides what of it is right. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { RequestAccessRequestSchema } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';

export type Ask = {
  readonly clusterId: string;
  readonly roleId: string;
  readonly duration: string;
  readonly reason: string;
  /** Addresses separated by commas, blanks or lines. */
  readonly reviewers: string;
  /** As `<input type="datetime-local">` gives it, in the zone of the browser; empty for at once. */
  readonly startsAt: string;
  /** The request whose grant is to be prolonged; empty for a new one. */
  readonly extendsId: string;
};

export const emptyAsk: Ask = {
  clusterId: '',
  roleId: '',
  duration: '1h',
  reason: '',
  reviewers: '',
  startsAt: '',
  extendsId: '',
};

export function askMessage(ask: Ask): MessageInitShape<typeof RequestAccessRequestSchema> {
  const startsAt = ask.startsAt === '' ? undefined : new Date(ask.startsAt);
  return {
    clusterId: ask.clusterId,
    roleId: ask.roleId,
    duration: ask.duration.trim(),
    // One line: the server refuses control characters, and a reason is shown in one.
    reason: ask.reason.replaceAll(/\s+/g, ' ').trim(),
    suggestedReviewerEmails: ask.reviewers.split(/[\s,;]+/).filter((address) => address !== ''),
    extends: ask.extendsId,
    ...(startsAt && !Number.isNaN(startsAt.getTime()) ? { startsAt: timestampFromDate(startsAt) } : {}),
  };
}
