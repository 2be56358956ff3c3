import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface FaultyLine {
  /** The address of the line's near end, with the scheme of the far one. */
  url: string;
  /** Breaks every connection and takes no new one. */
  cut: () => Promise<void>;
  restore: () => Promise<void>;
  close: () => Promise<void>;
}

/** A TCP line to a server on loopback, which can be cut. */
export async function startFaultyLine(farUrl: string): Promise<FaultyLine> {
  const far = new URL(farUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const onward = connect(Number(far.port), far.hostname);
    for (const socket of [near, onward]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        onward.destroy();
      });
    }
    near.pipe(onward).pipe(near);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  const port = await listen(0);
  return {
    url: `${far.protocol}//127.0.0.1:${port}`,
    cut,
    restore: async () => {
      await listen(port);
    },
    close: cut,
  };
}
