import {
  ApiException,
  CoordinationV1Api,
  V1Lease,
  V1LeaseSpec,
  V1MicroTime,
  V1ObjectMeta,
} from '@kubernetes/client-node';
import { setTimeout as delay } from 'node:timers/promises';
import { SlipwayError } from '../../domain/errors.ts';
import type { LeaseFacts } from '../../domain/lease.ts';
import { LEASE_TIMING, type LeaseTiming } from '../../domain/lost-worker.ts';
import { toKubeConfig, type ClusterAccess } from './access.ts';
import { ask } from './client.ts';
import { keepRenewed } from './renewal.ts';

/** One for each environment, in its namespace: whoever holds it may change its Helm releases. */
const NAME = 'slipway';
/** While the API server is away. */
const GIVE_BACK_MS = 2_000;

/** The Lease of one environment, as one process sees and holds it. */
export class EnvironmentLease {
  readonly #api: CoordinationV1Api;
  readonly #namespace: string;
  readonly #timing: LeaseTiming;
  /** Expiry is a renewal that stands still by this process's own clock: clocks of machines differ. */
  #seen: { version: string; atMs: number } | undefined;
  /** Who works under it in this process now. */
  readonly #holding = new Set<string>();

  constructor(access: ClusterAccess, timing: LeaseTiming = LEASE_TIMING) {
    this.#api = toKubeConfig(access).makeApiClient(CoordinationV1Api);
    this.#namespace = access.namespace;
    this.#timing = timing;
  }

  /** What the Lease says now; undefined when there is none. */
  async look(): Promise<LeaseFacts | undefined> {
    const lease = await this.#read();
    if (!lease) return undefined;
    return {
      holder: lease.spec?.holderIdentity ?? '',
      silentMs: this.#silentMs(lease),
      durationMs: (lease.spec?.leaseDurationSeconds ?? 0) * 1_000 || this.#timing.durationMs,
    };
  }

  /**
   * Holds the Lease for the time of the work, renewing it. The signal given to the work aborts when the
   * Lease could not be renewed for long, so that its process ends before anybody else may take over; the
   * Lease is given back only after the work has ended. Throws `helm-locked` when somebody holds it.
   *
   * @param mayTake judged before: the holder whose Lease may be taken, because it is proved dead
   */
  async hold<T>(
    holder: string,
    mayTake: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const takenAt = performance.now();
    let lease = await this.#take(holder, mayTake);
    this.#holding.add(holder);
    const { lost, stop } = keepRenewed(takenAt, this.#timing, async () => {
      lease = await this.#put(lease, holder);
    });
    try {
      return await work(AbortSignal.any([signal, lost]));
    } finally {
      stop();
      this.#holding.delete(holder);
      await this.#giveBack(holder);
    }
  }

  async #take(holder: string, mayTake: string): Promise<V1Lease> {
    const found = await this.#read();
    const current = found?.spec?.holderIdentity ?? '';
    if (current !== '' && current !== mayTake) {
      throw new SlipwayError('helm-locked', `The environment is held by ${current}.`);
    }
    try {
      return await this.#put(found ?? newLease(this.#namespace), holder);
    } catch (error) {
      // The answer may have been lost, and not the request.
      void this.#giveBackLater(holder);
      throw error;
    }
  }

  /**
   * Gives the Lease back. While the API server is away, later: this process lives on, so nobody else could
   * tell that it holds nothing.
   */
  async #giveBack(holder: string): Promise<void> {
    if (!(await this.#isGivenBack(holder))) void this.#giveBackLater(holder);
  }

  async #giveBackLater(holder: string): Promise<void> {
    do await delay(GIVE_BACK_MS, undefined, { ref: false });
    while (!(await this.#isGivenBack(holder)));
  }

  async #isGivenBack(holder: string): Promise<boolean> {
    try {
      // The same operation may have begun anew.
      if (this.#holding.has(holder)) return true;
      const found = await this.#read();
      if (found?.spec?.holderIdentity === holder) await this.#put(found, '');
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Writes who holds the Lease; the resourceVersion in it makes the server refuse when somebody wrote in
   * between. Throws `helm-locked` then, because losing a race for it is no error of the cluster.
   */
  async #put(lease: V1Lease, holder: string): Promise<V1Lease> {
    const written = await ask(`writing the Lease in ${this.#namespace}`, () =>
      this.#write(stamp(lease, holder, this.#timing)).catch(nothingOnConflict),
    );
    if (written) return written;
    // A request whose answer was lost, and that was made again, conflicts with itself.
    const found = await this.#read();
    if (found?.spec?.holderIdentity === holder) return found;
    throw new SlipwayError('helm-locked', 'The environment was taken by another deployment.');
  }

  #write(body: V1Lease): Promise<V1Lease> {
    const namespace = this.#namespace;
    return body.metadata?.resourceVersion === undefined
      ? this.#api.createNamespacedLease({ namespace, body })
      : this.#api.replaceNamespacedLease({ name: NAME, namespace, body });
  }

  async #read(): Promise<V1Lease | undefined> {
    const { items } = await ask(`reading the Lease in ${this.#namespace}`, () =>
      this.#api.listNamespacedLease({
        namespace: this.#namespace,
        fieldSelector: `metadata.name=${NAME}`,
      }),
    );
    return items[0];
  }

  #silentMs(lease: V1Lease): number {
    const version = lease.metadata?.resourceVersion ?? '';
    if (this.#seen?.version !== version) this.#seen = { version, atMs: performance.now() };
    return performance.now() - this.#seen.atMs;
  }
}

function nothingOnConflict(error: unknown): undefined {
  if (error instanceof ApiException && error.code === 409) return undefined;
  throw error;
}

function stamp(lease: V1Lease, holder: string, { durationMs }: LeaseTiming): V1Lease {
  lease.spec ??= new V1LeaseSpec();
  lease.spec.holderIdentity = holder;
  lease.spec.leaseDurationSeconds = Math.ceil(durationMs / 1_000);
  lease.spec.renewTime = new V1MicroTime();
  return lease;
}

function newLease(namespace: string): V1Lease {
  const lease = new V1Lease();
  lease.metadata = new V1ObjectMeta();
  lease.metadata.name = NAME;
  lease.metadata.namespace = namespace;
  return lease;
}
