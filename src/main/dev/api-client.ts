import type { Release } from '../../contract/api/release.ts';
import { waitUntil } from './wait-until.ts';

/** The calls that the demo and the tests make to Slipway's API. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.#url}/readyz`).catch(() => undefined);
    return response?.ok ?? false;
  }

  /** The release of a commit, once it is known. */
  async releaseOf(commit: string): Promise<Release | undefined> {
    const { items } = await this.get<{ items: Release[] }>('/releases?limit=50');
    return items.find((release) => release.commit === commit);
  }

  /** Waits until the release of a commit has ended, and tells of each look. */
  async untilEnded(
    commit: string,
    options: { timeoutMs: number; onLook?: (release: Release) => void },
  ): Promise<Release> {
    let ended: Release | undefined;
    await waitUntil(
      `releasing ${commit}`,
      async () => {
        const release = await this.releaseOf(commit);
        if (!release) return false;
        options.onLook?.(release);
        ended = release.endedAt === null ? undefined : release;
        return ended !== undefined;
      },
      { timeoutMs: options.timeoutMs, intervalMs: 200 },
    );
    if (!ended) throw new Error(`the release of ${commit} vanished`);
    return ended;
  }

  async get<T>(path: string): Promise<T> {
    return (await this.request('GET', path)).body as T;
  }

  async request(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    if (method === 'GET' && !response.ok) {
      throw new Error(`GET ${path}: ${response.status} ${text.slice(0, 500)}`);
    }
    return { status: response.status, body: parsed };
  }
}
