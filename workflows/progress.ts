import type { PlanResult } from '../src/contract/workflow/activities.ts';
import type { DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import type { CauseReport } from '../src/domain/cause.ts';
import type { Waiting } from '../src/domain/gates/facts.ts';
import { recordPhase } from './activity-options.ts';
import { subjectOf } from './details.ts';
import { tellUi } from './search-attributes.ts';

type Doing = [
  phase: 'planning' | 'applying' | 'verifying',
  note: string,
  /** To be shown from now on. */
  planned?: PlanResult,
];

/** Writes into the store and into Temporal's UI what a deployment does, in order. */
export class Progress {
  /** The attempt under way, from 1. */
  attempt: number;
  readonly #request: DeploymentRequest;
  #recordCount: number;
  /** What the attempt does, to say so again after it had to wait in the middle. */
  #doing: Doing | undefined;

  constructor(request: DeploymentRequest) {
    this.#request = request;
    this.attempt = request.begun?.attempt ?? 0;
    this.#recordCount = request.begun?.order ?? 0;
  }

  beginAttempt(): void {
    this.attempt += 1;
    this.#doing = undefined;
  }

  async enter(...doing: Doing): Promise<void> {
    this.#doing = doing;
    await this.#tell(...doing);
  }

  /** Says again what the attempt does; and why it does not begin, where that is known. */
  async enterAgain(why?: string): Promise<void> {
    if (!this.#doing) return;
    const [phase, note, plan] = this.#doing;
    await this.#tell(phase, why === undefined ? note : `${note}. ${why}`, plan);
  }

  async #tell(...[phase, note, plan]: Doing): Promise<void> {
    await recordPhase({ ...this.#next(), phase, note, ...(plan ? { plan } : {}) });
    tellUi(phase, `${subjectOf(this.#request)} attempt ${this.attempt}: ${note}`);
  }

  async wait(waiting: Waiting, plan: PlanResult | undefined): Promise<void> {
    const note = waiting.sentence;
    const begun = this.#doing ? this.attempt : this.attempt - 1;
    await recordPhase({
      ...{ ...this.#next(), phase: 'waiting', attempt: begun, note, waiting },
      // Who approves must see what.
      ...(waiting.digest !== undefined && plan ? { plan } : {}),
    });
    tellUi('waiting', `${subjectOf(this.#request)} waits. ${note}`);
  }

  async retry(waitMs: number, cause: CauseReport): Promise<void> {
    const retryAt = new Date(Date.now() + waitMs).toISOString();
    const note = `Attempt ${this.attempt} failed: ${cause.sentence} Next attempt at ${retryAt}.`;
    await recordPhase({ ...this.#next(), phase: 'retrying', note, cause, retryAt });
    tellUi('retrying', `${subjectOf(this.#request)} ${note}`);
  }

  #next() {
    const { deploymentId } = this.#request;
    return { deploymentId, attempt: this.attempt, order: ++this.#recordCount };
  }
}
