import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { buffer } from 'node:stream/consumers';

/** Whom a server must be signed by, and who asks it. */
export type Trust = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;

/** `fetch` for https with a trust of its own, which `fetch` itself does not take; it follows no redirects. */
export async function trustingFetch(
  url: URL,
  {
    method,
    headers,
    signal,
  }: { method: string; headers: Record<string, string>; signal: AbortSignal },
  trust: Trust,
): Promise<Response> {
  const asked = request(url, { ...trust, method, headers, signal });
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  asked.end();
  const [response] = await answered;
  const body = await buffer(response);
  const { statusCode: status = 0, headersDistinct } = response;
  const named = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return new Response(body.length === 0 ? null : body, { status, headers: named });
}
