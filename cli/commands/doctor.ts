/** `clustral doctor`: looks at everything between kubectl and the server, and says what is wrong and what to do. It changes nothing without --fix. */
import { Option } from 'clipanion';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { runChecks } from '../doctor/check.ts';
import { fileChecks } from '../doctor/file-checks.ts';
import { kubeChecks } from '../doctor/kube-checks.ts';
import { networkChecks } from '../doctor/network-checks.ts';
import type { Patient } from '../doctor/patient.ts';
import { reportOf } from '../doctor/report.ts';
import { serverChecks } from '../doctor/server-checks.ts';
import { sessionChecks } from '../doctor/session-checks.ts';
import { exitCodes } from '../failure.ts';
import { kubeconfigFiles } from '../kubeconfig.ts';
import { printAnswer } from '../output.ts';
import { currentAccount } from '../profile.ts';

const limitMs = 5_000;

export class Doctor extends ClustralCommand {
  static override paths = [['doctor']];
  static override usage = usageOf('doctor', {
    details:
      'It ends with 1 when a check failed. --fix makes files private again, mends the paths of contexts, and renews a\nsession.',
    examples: [['For a report', 'clustral doctor -o json']],
  });
  fix: boolean = Option.Boolean('--fix', false, flag('', 'mend what can be mended without a question'));
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'kubeconfig file to look at'));

  async execute(): Promise<number> {
    const { format, context } = this;
    const profile = this.openProfile();
    const patient: Patient = {
      context,
      profile,
      account: this.account === undefined ? currentAccount(profile) : this.signedIn(profile).account,
      files: kubeconfigFiles(this.kubeconfig, context.env),
      mends: this.fix,
    };
    const { checks, reachable } = sessionChecks(patient, limitMs);
    const all = [
      ...networkChecks(patient),
      ...serverChecks(patient, limitMs),
      ...checks,
      ...kubeChecks(patient, reachable),
      ...fileChecks(patient),
    ];
    const results = await runChecks(all, limitMs);
    const isWell = results.every(({ status }) => status !== 'fail');
    await printAnswer(context, {
      format,
      json: { ok: isWell, checks: results },
      name: `doctor/${isWell ? 'ok' : 'fail'}`,
      text: reportOf(results, { aligned: context.isTerminal, color: context.color.stdout }),
    });
    return isWell ? exitCodes.ok : exitCodes.failed;
  }
}
