/** The answer of every command that changed one access request. */
import { AccessRequestSchema, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { asJson } from '../command.ts';
import type { CliContext } from '../context.ts';
import { printAnswer, type Format } from '../output.ts';
import { visible } from '../text.ts';
import { sentence } from './request-words.ts';

/** Prints the request as it stands now. */
export async function printRequest(context: CliContext, format: Format, request: AccessRequest): Promise<void> {
  await printAnswer(context, {
    format,
    json: await asJson(AccessRequestSchema, request),
    name: `request/${request.id}`,
    text: `${visible(sentence(request))}\n`,
  });
}
