/** What an error was caused by in the end: those around it often only say that something failed. */
export function innermostCause(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner;
}
