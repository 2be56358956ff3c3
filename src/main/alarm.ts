/** Wakes a loop early. */
interface Alarm {
  ring: () => void;
  /** Waits until it is rung or the time is up; a ring while nobody waits ends the next wait at once. */
  wait: () => Promise<void>;
}

export function createAlarm(timeoutMs: number): Alarm {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    wait: async () => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
      wake = undefined;
    },
  };
}
