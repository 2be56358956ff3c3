import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openKubernetes, type KubernetesApi } from '../../src/adapters/kubernetes/client.ts';
import { listHelmReleases } from '../../src/adapters/kubernetes/helm-releases.ts';
import { EnvironmentLease } from '../../src/adapters/kubernetes/lease.ts';
import type { DeploymentSummary } from '../../src/contract/api/deployment.ts';
import { ENVIRONMENTS, startInstance, type Instance } from '../../src/main/dev/instance.ts';
import type { InstanceOptions } from '../../src/main/dev/instance-config.ts';
import { attemptPids } from '../../src/main/dev/platform-processes.ts';
import { startPlatform, type Platform } from '../../src/main/dev/platform.ts';
import { pushVersion } from '../../src/main/dev/story.ts';
import { startFaultyLine, type FaultyLine } from './faulty-line.ts';
import { platformTools } from './platform-tools.ts';

const NAMESPACE = ENVIRONMENTS[0];
const SERVICE = 'example-api';

type Options = Partial<InstanceOptions>;

/** Slipway on a platform of its own, and what tests of faults ask about its first environment. */
export class RunningSlipway {
  readonly platform: Platform;
  readonly slipway: Instance;
  /** Between the worker and the API server. */
  readonly line: FaultyLine;
  readonly kubernetes: KubernetesApi;
  readonly lease: EnvironmentLease;

  private constructor(
    platform: Platform,
    line: FaultyLine,
    slipway: Instance,
    access: ConstructorParameters<typeof EnvironmentLease>[0],
  ) {
    this.platform = platform;
    this.line = line;
    this.slipway = slipway;
    this.kubernetes = openKubernetes(access);
    this.lease = new EnvironmentLease(access);
  }

  /** @param name of the folder of its data below `.slipway` */
  static async start(
    name: string,
    options: (platform: Platform) => Options | Promise<Options> = () => ({}),
  ): Promise<RunningSlipway> {
    const platform = await startPlatform({
      dataDir: join(import.meta.dirname, '../../.slipway', name),
      tools: await platformTools(),
      namespaces: ENVIRONMENTS,
    });
    const { server, caFile, token } = platform.kubernetes;
    const line = await startFaultyLine(server);
    const slipway = await startInstance({
      platform,
      webhookSecret: randomBytes(24).toString('base64url'),
      kubernetesServer: line.url,
      rollout: { soak: '1s' },
      ...(await options(platform)),
    });
    const certificateAuthority = await readFile(caFile, 'utf8');
    const access = { server, token, certificateAuthority, namespace: NAMESPACE };
    return new RunningSlipway(platform, line, slipway, access);
  }

  async stop(): Promise<void> {
    await this.slipway.stop();
    await this.line.close();
    await this.platform.stop();
  }

  /** Merges a version of the service; answers the commit. */
  push(version: string): Promise<string> {
    return pushVersion(this.slipway.repository.url, version);
  }

  /** The deployment of a commit in the first environment, once there is one. */
  async deployment(commit: string): Promise<DeploymentSummary | undefined> {
    const release = await this.slipway.api.releaseOf(commit);
    return release?.deployments.find(({ environment }) => environment === NAMESPACE);
  }

  async phase(commit: string): Promise<string | undefined> {
    return (await this.deployment(commit))?.phase;
  }

  /** The newest revision of the service. */
  async helmRelease() {
    const helmReleases = await this.helmReleases();
    return helmReleases.find(({ service }) => service === SERVICE);
  }

  helmReleases() {
    return listHelmReleases(this.kubernetes, NAMESPACE);
  }

  /** Processes of attempts, which must be none when nothing is on its way. */
  leftovers(): number[] {
    return attemptPids(this.platform.dataDir);
  }
}
