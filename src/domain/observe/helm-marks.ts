/** One Helm release at one moment: enough to tell whether somebody changed it since. */
export interface HelmMark {
  service: string;
  helmRevision: number;
  status: string;
  /** Keyed digest of the manifest that the revision applied. */
  manifest: string;
}

/** Whether nobody made a revision or changed its status between two looks. */
export function isSame(before: readonly HelmMark[], after: readonly HelmMark[]): boolean {
  return (
    before.length === after.length &&
    before.every((was) => {
      const is = markOf(after, was.service);
      return is?.helmRevision === was.helmRevision && is.status === was.status;
    })
  );
}

/** Whether Helm, or whoever runs it, is still at work. */
export function isBusy(marks: readonly HelmMark[]): boolean {
  return marks.some(({ status }) => status.startsWith('pending') || status === 'uninstalling');
}

export function markOf(marks: readonly HelmMark[], service: string): HelmMark | undefined {
  return marks.find((mark) => mark.service === service);
}
