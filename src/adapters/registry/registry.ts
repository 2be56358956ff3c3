import { readFile } from 'node:fs/promises';
import { SlipwayError, type CauseCode } from '../../domain/errors.ts';
import { trustingFetch, type Trust } from './trusting-fetch.ts';

export interface RegistryAccess {
  plainHttp: boolean;
  /** Where it is not what everybody trusts. */
  trust?: Trust | undefined;
  /** User and password in base64, as they stand in the `auths` of a `config.json`. */
  login?: string | undefined;
  /** Where a login is given, for who is refused. */
  loginHint: string;
  signal?: AbortSignal | undefined;
}

const MANIFEST = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');
const TAG_PAGES_MAX = 50;
const TIMEOUT_MS = 20_000;

/**
 * One artifact's name in an OCI registry. Its methods throw `chart-repository-unreachable`, or `chart-auth`
 * where it refuses.
 */
export class Registry {
  readonly #base: string;
  readonly #name: string;
  readonly #access: RegistryAccess;
  #authorization: string | undefined;

  /**
   * @param host with its port, such as `registry.example.org`
   * @param name of the artifact there, such as `charts/api`
   */
  constructor(host: string, name: string, access: RegistryAccess) {
    this.#base = `${access.plainHttp ? 'http' : 'https'}://${host}`;
    this.#name = name;
    this.#access = access;
  }

  /** All tags; none where the registry does not know the name. */
  async tags(): Promise<string[]> {
    const tags: string[] = [];
    let path: string | undefined = `/v2/${this.#name}/tags/list?n=1000`;
    for (let page = 0; path !== undefined && page < TAG_PAGES_MAX; page += 1) {
      const response: Response = await this.#get(path, 'GET', 'application/json');
      if (response.status === 404) return [];
      const body = (await response.json()) as { tags?: string[] | null };
      tags.push(...(body.tags ?? []));
      path = nextPage(response.headers.get('link'));
    }
    return tags;
  }

  /** The digest of a tag's manifest; undefined where there is no such tag. */
  async digest(tag: string): Promise<string | undefined> {
    const path = `/v2/${this.#name}/manifests/${tag}`;
    const response = await this.#get(path, 'HEAD', MANIFEST);
    return response.status === 404
      ? undefined
      : (response.headers.get('docker-content-digest') ?? undefined);
  }

  async #get(path: string, method: string, accept: string): Promise<Response> {
    const response = await this.#fetch(path, method, accept);
    const challenge = response.headers.get('www-authenticate');
    if (response.status !== 401 || challenge === null) return this.#checked(response);
    this.#authorization = await this.#answer(challenge);
    return this.#checked(await this.#fetch(path, method, accept));
  }

  #fetch(path: string, method: string, accept: string): Promise<Response> {
    return this.#ask(new URL(path, this.#base), {
      method,
      headers: {
        accept,
        ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      },
    });
  }

  async #ask(
    url: URL,
    how: { method: string; headers: Record<string, string> },
  ): Promise<Response> {
    const { signal, trust } = this.#access;
    const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
    const init = { ...how, signal: AbortSignal.any(signals) };
    try {
      const needsTrust = trust !== undefined && url.protocol === 'https:';
      return await (needsTrust ? trustingFetch(url, init, trust) : fetch(url, init));
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#unreachable('it does not answer', error);
    }
  }

  #checked(response: Response): Response {
    if (response.ok || response.status === 404) return response;
    if (response.status === 401 || response.status === 403) {
      throw this.#failure('chart-auth', `it refuses access; ${this.#access.loginHint}`);
    }
    throw this.#unreachable(`it answers with HTTP ${response.status}`);
  }

  /** Basic, or a token from the server that the registry names. */
  async #answer(challenge: string): Promise<string | undefined> {
    const { login } = this.#access;
    const basic = login === undefined ? undefined : `Basic ${login}`;
    if (!/^bearer /i.test(challenge)) return basic;
    const fields = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const url = new URL(fields.get('realm') ?? '', this.#base);
    for (const key of ['service', 'scope']) {
      const value = fields.get(key);
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const headers: Record<string, string> = basic === undefined ? {} : { authorization: basic };
    const response = this.#checked(await this.#ask(url, { method: 'GET', headers }));
    const body = (await response.json()) as { token?: string; access_token?: string };
    return `Bearer ${body.token ?? body.access_token ?? ''}`;
  }

  #unreachable(why: string, cause?: unknown): SlipwayError {
    return this.#failure('chart-repository-unreachable', why, cause);
  }

  #failure(code: CauseCode, why: string, cause?: unknown): SlipwayError {
    const message = `Reading the versions of ${this.#name} from ${this.#base}: ${why}.`;
    return new SlipwayError(code, message, { cause });
  }
}

function nextPage(link: string | null): string | undefined {
  return /<([^>]+)>;\s*rel="?next"?/.exec(link ?? '')?.[1];
}

/** What a `config.json` of Helm or Docker holds for a host. */
export async function readLogin(file: string, host: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const { auths } = JSON.parse(text) as { auths?: Record<string, { auth?: string }> };
  return auths?.[host]?.auth;
}
