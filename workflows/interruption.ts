import { CancellationScope, defineSignal, setHandler } from '@temporalio/workflow';
import {
  CANCEL_SIGNAL,
  SUPERSEDE_SIGNAL,
  type CancelInput,
  type SupersedeInput,
} from '../src/contract/workflow/messages.ts';
import type { DeploymentRequest } from '../src/contract/workflow/payloads.ts';
import { takesPlaceOf } from '../src/domain/overtaking.ts';

const cancel = defineSignal<[CancelInput]>(CANCEL_SIGNAL);
const supersede = defineSignal<[SupersedeInput]>(SUPERSEDE_SIGNAL);

/** Ends a deployment before its time: a person cancels it, or another takes its place. */
export class Interruption {
  /** What ends with it. */
  readonly scope = new CancellationScope();
  #cancelledBy: string | undefined;
  #newer: SupersedeInput | undefined;
  #mayGiveWay = true;

  constructor(request: DeploymentRequest) {
    setHandler(cancel, ({ by }) => {
      this.#cancelledBy = by;
      this.scope.cancel();
    });
    setHandler(supersede, (by) => {
      if (by.deploymentId === request.deploymentId || !takesPlaceOf(by, request)) return;
      this.#newer = by;
      this.giveWayFrom(this.#mayGiveWay);
    });
  }

  /** Never while a process may change the cluster: what was begun is brought to its end. */
  giveWayFrom(may: boolean): void {
    this.#mayGiveWay = may;
    if (may && this.#newer) this.scope.cancel();
  }

  get cancelledBy(): string | undefined {
    return this.#cancelledBy;
  }

  /** What took its place; a person's cancel goes before. */
  get supersededBy(): SupersedeInput | undefined {
    return this.#cancelledBy === undefined ? this.#newer : undefined;
  }
}
