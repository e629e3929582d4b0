import type { Engine } from './engine.js';
import type { createRemoteEngine } from './remote-engine.js';

/**
 * `createRemoteEngine`, loaded when it is asked for: gRPC takes 0.1 s to load, for which whoever
 * runs models here, a training or a command above all, need not wait.
 */
export async function openRemoteEngine(
  ...options: Parameters<typeof createRemoteEngine>
): Promise<Engine> {
  const remote = await import('./remote-engine.js');
  return remote.createRemoteEngine(...options);
}
