import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/**
 * A registry of images that has none: it asks for a login where the name begins with `private/`, and
 * says that all else is not there. Nothing leaves the machine.
 */
export async function startEmptyRegistry(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const isPrivate = request.url?.startsWith('/v2/private/') ?? false;
    const code = isPrivate ? 'UNAUTHORIZED' : 'MANIFEST_UNKNOWN';
    response.setHeader('content-type', 'application/json');
    if (isPrivate) response.setHeader('www-authenticate', 'Basic realm="example"');
    response.writeHead(isPrivate ? 401 : 404);
    response.end(JSON.stringify({ errors: [{ code, message: 'authentication required' }] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
