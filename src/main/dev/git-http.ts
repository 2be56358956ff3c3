import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startPiped } from '../../adapters/process/piped.ts';

export interface GitHttpOptions {
  /** The folder of bare repositories; nothing outside it is served. */
  root: string;
  env: Readonly<Record<string, string>>;
}

/** Git's smart protocol and nothing else; a name has no slash and no leading dot, so no way out. */
const ENDPOINT =
  /^(\/[a-z0-9][a-z0-9._-]*\.git\/(?:info\/refs|git-upload-pack|git-receive-pack))(?:\?(.*))?$/i;
const HEADER_BYTES_MAX = 64 * 1024;

/** Answers one request of a git client by `git http-backend`, a CGI program. */
export async function serveGit(
  options: GitHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, path, query = ''] = ENDPOINT.exec(request.url ?? '') ?? [];
  if (path === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  const { headers } = request;
  const backend = await startPiped('git', ['http-backend'], {
    env: {
      ...options.env,
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: headers['content-type'] ?? '',
      CONTENT_LENGTH: headers['content-length'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    },
  });
  response.once('close', () => void backend.stop({ groupTermMs: 0, groupKillMs: 1_000 }));
  try {
    // Both at once: the answer may begin before the request has ended.
    const sent = pipeline(request, backend.stdin).catch(() => undefined);
    const { head, rest } = await readHead(backend.stdout);
    response.writeHead(statusOf(head), head);
    response.write(rest);
    await pipeline(backend.stdout, response);
    await sent;
  } catch (error) {
    if (!response.headersSent) response.writeHead(500).end('git http-backend failed\n');
    response.destroy(error instanceof Error ? error : undefined);
  }
}

/** Reads what a CGI program prints before the blank line, and what of its body came with it. */
async function readHead(stdout: Readable): Promise<{ head: [string, string][]; rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0) {
      const lines = bytes.subarray(0, end).toString('latin1').split('\r\n');
      const head = lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      });
      return { head, rest: bytes.subarray(end + 4) };
    }
    if (bytes.length > HEADER_BYTES_MAX) throw new Error('git http-backend: endless header');
    bytes = Buffer.concat([bytes, await nextChunk(stdout)]);
  }
}

function nextChunk(stream: Readable): Promise<Buffer> {
  const ready = stream.read() as Buffer | null;
  if (ready) return Promise.resolve(ready);
  return new Promise((resolve, reject) => {
    const done = (chunk: Buffer | null) => {
      stream.off('readable', onReadable).off('end', onEnd);
      if (chunk) resolve(chunk);
      else reject(new Error('git http-backend: no answer'));
    };
    const onReadable = () => {
      const chunk = stream.read() as Buffer | null;
      if (chunk) done(chunk);
    };
    const onEnd = () => {
      done(null);
    };
    stream.on('readable', onReadable).on('end', onEnd);
  });
}

function statusOf(head: readonly [string, string][]): number {
  const status = head.find(([name]) => name.toLowerCase() === 'status');
  return status ? Number.parseInt(status[1], 10) : 200;
}
