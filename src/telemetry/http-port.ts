import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError } from '../errors.js';
import type { Metrics } from './metrics.js';

export interface HttpPortOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface HttpPortCollaborators {
  readonly metrics: Pick<Metrics, 'expose'>;
  /** Why the server should get no calls now, or null when it should. */
  readonly notReadyBecause: () => string | null;
}

/** The port that Prometheus and Kubernetes talk to. */
export interface HttpPort {
  readonly port: number;
  /** Idempotent; open connections are closed. */
  close(): Promise<void>;
}

/**
 * Opens `/metrics` (Prometheus text), `/healthz` (200 while the process turns its event
 * loop) and `/readyz` (200, or 503 with the reason).
 *
 * Throws `option_invalid` naming the port when it is in use or may not be taken.
 */
export async function openHttpPort(
  options: HttpPortOptions,
  { metrics, notReadyBecause }: HttpPortCollaborators,
): Promise<HttpPort> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, contentType = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      answer(405, 'expected GET or HEAD\n');
      return;
    }
    const path = request.url?.split('?')[0];
    if (path === '/healthz') {
      answer(200, 'ok\n');
    } else if (path === '/readyz') {
      const reason = notReadyBecause();
      answer(reason === null ? 200 : 503, `${reason ?? 'ok'}\n`);
    } else if (path === '/metrics') {
      metrics.expose().then(
        ({ text, contentType }) => answer(200, text, contentType),
        () => answer(500, 'internal error\n'),
      );
    } else {
      answer(404, 'expected /metrics, /healthz or /readyz\n');
    }
  });
  try {
    server.listen(options.port, options.host);
    await once(server, 'listening');
  } catch (error) {
    throw portError(options.port, 'HTTP', error);
  }
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  let closed: Promise<void> | null = null;
  return {
    port,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

/** What to tell an operator whose port cannot be opened. */
export function portError(port: number, use: 'gRPC' | 'HTTP', cause: unknown): DomainError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = text.includes('EADDRINUSE')
    ? 'is in use by another process'
    : text.includes('EACCES')
      ? 'may not be opened by this user'
      : 'cannot be opened';
  return new DomainError(
    'option_invalid',
    `${use} port ${port} ${reason}: expected a free port, or 0 for any`,
    { cause },
  );
}
