import { innermostCause } from '../../domain/innermost-cause.ts';

/** A server that takes the connection and says nothing counts as away. */
const DEADLINE_MS = 10_000;

/** What became of a message that was sent to the server. */
export type Delivery =
  | { outcome: 'taken' }
  /** The server will never take it. */
  | { outcome: 'refused'; why: string }
  /** The server is away, or does not know the worker: worth another try. */
  | { outcome: 'later'; why: string };

export type Send = (path: string, body: string, signal: AbortSignal) => Promise<Delivery>;

/** Sends JSON to the server's worker routes, signed in with the worker's own token. */
export function createServerClient(server: { url: string; token: string }): Send {
  return async (path, body, signal) => {
    try {
      const response = await fetch(`${server.url}/api/v1/worker/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      });
      // Read to its end, or the connection is not used again.
      const text = await response.text();
      return judge(response.status, text);
    } catch (error) {
      return { outcome: 'later', why: reasonOf(error) };
    }
  };
}

/** A wrong token is mended by a person, so what waits is kept; a wrong message is not mended by waiting. */
function judge(status: number, text: string): Delivery {
  if (status >= 200 && status < 300) return { outcome: 'taken' };
  const why = `HTTP ${status} ${text.slice(0, 300)}`;
  const isWrong = status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);
  return { outcome: isWrong ? 'refused' : 'later', why };
}

function reasonOf(error: unknown): string {
  const inner = innermostCause(error);
  return inner instanceof Error ? inner.message : 'the request failed';
}
