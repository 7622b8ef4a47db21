/** `clustral credentials revoke <id>`: a credential is good no more; what is open with it ends. */
import { Option } from 'clipanion';
import { CredentialService, RevokeCredentialResponseSchema } from '@clustral/schemas/gen/clustral/v1/credentials_pb.ts';
import { usageOf } from '../../command-table.ts';
import { asJson, ClustralCommand } from '../../command.ts';
import { exitCodes } from '../../failure.ts';
import { printAnswer } from '../../output.ts';
import { visible } from '../../text.ts';

export class CredentialsRevoke extends ClustralCommand {
  static override paths = [['credentials', 'revoke']];
  static override argumentHelp = { credential: 'id, as credentials list shows it' };
  static override usage = usageOf('credentials revoke', {
    details: 'The next request with it is refused, and what is open ends within seconds.',
  });
  credential: string = Option.String({ name: 'credential' });

  async execute(): Promise<number> {
    const session = await this.openSession();
    const revoked = await session.client(CredentialService).revokeCredential({ id: this.credential });
    await printAnswer(this.context, {
      format: this.format,
      json: await asJson(RevokeCredentialResponseSchema, revoked),
      name: `credential/${visible(revoked.credentialId)}`,
      text: `${visible(revoked.credentialId)} is revoked\n`,
    });
    return exitCodes.ok;
  }
}
