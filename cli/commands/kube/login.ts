/** `clustral kube login <cluster>…`: kubeconfig contexts that keep themselves fresh through the exec plugin, or hold a token when asked to. */
import { Option } from 'clipanion';
import { UserService } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import type { Session } from '../../client.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { issueCredential } from '../../credentials.ts';
import { execPlugin } from '../../exec-plugin.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { kubeconfigFiles, placeFor, textOfEntries, writeEntries, type Written } from '../../kubeconfig.ts';
import type { Entry } from '../../kubeconfig-document.ts';
import { kubectlVersion, type KubectlVersion } from '../../kubectl.ts';
import { findCluster } from '../../lookup.ts';
import { accountKey } from '../../profile.ts';
import { contextNameOf } from '../../settings.ts';
import { span, visible } from '../../text.ts';

/** A cluster to be written; the token and its end are there when a credential was issued. */
type Target = {
  readonly clusterId: string;
  /** Of the context. */
  readonly name: string;
  readonly hasRole: boolean;
  readonly token?: string;
  readonly expiresAt?: string;
};

const contextForm = /^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,252}$/;
const toStdout = '-';

export class KubeLogin extends ClustralCommand {
  static override paths = [['kube', 'login']];
  static override argumentHelp = { 'cluster...': 'names or ids' };
  static override usage = usageOf('kube login', {
    details:
      'One cluster becomes the current context. Of several, which may be named or be --all, none does, and their\ncredentials are issued when kubectl first asks.',
    examples: [
      ['By name', 'clustral kube login prod'],
      ['Every cluster that you can reach', 'clustral kube login --all'],
      ['Leave the current context alone', 'clustral kube login prod --no-set-context'],
      ['Into a file of its own', 'clustral kube login prod --kubeconfig prod.yaml'],
      ['To stdout', 'clustral kube login prod --kubeconfig -'],
    ],
  });
  clusters: string[] = Option.Rest({ name: 'cluster' });
  all: boolean = Option.Boolean('--all', false, flag('', 'every cluster that you can reach'));
  contextName: string | undefined = Option.String('--context-name', flag('NAME', 'clustral-<cluster> by default'));
  ttl: string = Option.String('--ttl', '', flag('DURATION', 'life of a credential, e.g. 30m'));
  noSetContext: boolean = Option.Boolean('--no-set-context', false, flag('', 'leave the current context as it is'));
  embedToken: boolean = Option.Boolean(
    '--embed-token',
    false,
    flag('', 'write the token itself, for tools without exec plugins'),
  );
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'file to write; - is stdout'));
  force: boolean = Option.Boolean('--force', false, flag('', 'overwrite a foreign context of that name'));

  async execute(): Promise<number> {
    this.checkWanted();
    const session = await this.openSession();
    const found = await this.targets(session);
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    // Before a credential exists: a name that is taken shall cost nothing.
    if (this.kubeconfig !== toStdout)
      for (const { name } of found) placeFor(files, { name, server: session.config.server, force: this.force });
    const isSingle = found.length === 1;
    const targets = isSingle || this.embedToken ? await this.withCredentials(session, found) : found;
    const kubectl = this.embedToken ? undefined : await kubectlVersion(this.context.env);
    const entries = targets.map((target) => this.entry(session, target, kubectl));
    const current = isSingle && !this.noSetContext ? targets[0]?.name : undefined;
    if (this.kubeconfig === toStdout) this.context.stdout.write(textOfEntries(entries, current));
    else this.reportWritten(await writeEntries(files, entries, { current, force: this.force }), current);
    this.reportTargets(targets);
    return exitCodes.ok;
  }

  private checkWanted(): void {
    const usage = (what: string, fix: string): CliError => new CliError(exitCodes.usage, what, fix);
    if (this.clusters.length === 0 && !this.all)
      throw usage("'clustral kube login' needs <cluster>", 'clustral kube login <cluster>, or --all');
    if (this.clusters.length > 0 && this.all)
      throw usage('--all is every cluster: name none beside it', 'clustral kube login --all');
    if (this.contextName !== undefined && (this.all || this.clusters.length > 1))
      throw usage('--context-name names one context, and there are several clusters', 'leave it out');
  }

  private async targets(session: Session): Promise<readonly Target[]> {
    if (!this.all && this.clusters.length === 1) {
      const { id, name } = await findCluster(session, this.clusters[0] ?? '');
      return [{ clusterId: id, name: this.nameFor(name, session.profile.name), hasRole: true }];
    }
    const { access } = await session.client(UserService).getMe({});
    const reachable = new Set(access.map(({ clusterId }) => clusterId));
    if (this.all && reachable.size === 0)
      throw new CliError(exitCodes.notFound, 'you can reach no cluster', 'clustral access request <cluster>');
    const wanted = this.all ? [...reachable] : this.clusters;
    const found = await Promise.all(wanted.map((nameOrId) => findCluster(session, nameOrId)));
    const byId = new Map(found.map(({ id, name }) => [id, name]));
    return [...byId].map(([clusterId, name]) => ({
      clusterId,
      name: this.nameFor(name, session.profile.name),
      hasRole: reachable.has(clusterId),
    }));
  }

  private async withCredentials(session: Session, targets: readonly Target[]): Promise<readonly Target[]> {
    const issued: Target[] = [];
    for (const target of targets) {
      const { clusterId } = target;
      const { credential, hasRole } = await issueCredential(session, {
        clusterId,
        ttl: this.ttl,
        now: this.context.now,
      });
      issued.push({ ...target, hasRole, token: credential.token, expiresAt: credential.expiresAt });
    }
    return issued;
  }

  private nameFor(cluster: string, profile: string): string {
    const name = this.contextName ?? contextNameOf(this.setting('context-name').value, { cluster, profile });
    if (contextForm.test(name)) return name;
    throw new CliError(
      exitCodes.usage,
      `'${visible(name.slice(0, 300))}' cannot be the name of a context`,
      'name it with --context-name: letters, digits and . _ @ : / -',
    );
  }

  private entry(session: Session, target: Target, kubectl: KubectlVersion | undefined): Entry {
    const { config, profile } = session;
    const { name, clusterId, token } = target;
    const ca = config.caPem === undefined ? undefined : Buffer.from(config.caPem).toString('base64');
    const cluster = {
      server: `${config.server}/api/proxy/${clusterId}`,
      ...(ca === undefined ? {} : { 'certificate-authority-data': ca }),
    };
    if (this.embedToken && token !== undefined) return { name, cluster, user: { token } };
    const args = ['--cluster', clusterId, '--account', accountKey(session.account()), '--profile', profile.name];
    const exec = execPlugin([...args, ...(this.ttl === '' ? [] : ['--ttl', this.ttl])], this.context, kubectl);
    return { name, cluster, user: { exec } };
  }

  private reportWritten({ files, previousContext }: Written, current: string | undefined): void {
    for (const [file, names] of files)
      this.say(`Wrote context${names.length === 1 ? '' : 's'} ${names.join(', ')} to ${visible(file)}.`);
    const [[name] = []] = files.values();
    if (current === undefined) this.say(`Use it with: kubectl --context ${name} …`);
    else if (previousContext !== undefined && previousContext !== current) {
      const back = visible(previousContext);
      this.say(`context: ${back} → ${current} (back: kubectl config use-context ${back})`);
    }
  }

  private reportTargets(targets: readonly Target[]): void {
    const isSingle = targets.length === 1;
    for (const { name } of targets.filter(({ hasRole }) => !hasRole))
      this.warn(
        `you have no role on ${isSingle ? 'this cluster' : `the cluster of ${name}`} yet: kubectl is refused until you have one. Ask for it: clustral access request`,
      );
    if (!this.embedToken) return;
    const left = Math.min(...targets.map(({ expiresAt = '' }) => Date.parse(expiresAt))) - this.context.now().getTime();
    this.say(`The ${isSingle ? 'token in it is' : 'tokens in it are'} valid for ${span(left)}; then run this again.`);
  }
}
