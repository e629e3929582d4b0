import { Socket } from 'node:net';
import test from 'ava';
import { createConnections } from '../../src/rpc/connections.js';

test('none is there at first, and again when the last has closed', async (t) => {
  const connections = createConnections();
  await connections.none();
  const sockets = [new Socket(), new Socket()];
  for (const socket of sockets) connections.add(socket);
  let isNone = false;
  const none = connections.none().then(() => {
    isNone = true;
  });
  sockets[0]?.destroy();
  await new Promise((resolve) => sockets[0]?.once('close', resolve));
  await new Promise(setImmediate);
  t.false(isNone);
  connections.destroy();
  await none;
  t.true(sockets.every(({ destroyed }) => destroyed));
});
