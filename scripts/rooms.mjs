// Fails on an import that points up or sideways between the rooms of src/, on a
// circular import between rooms, and on an import past a room's index.
// The order is the house in README.md: a room may import rooms of a lower floor.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const floors = [
  ['main'],
  ['demo'],
  ['cli'],
  ['server', 'client'],
  ['rpc'],
  ['reports'],
  ['classify', 'training', 'evaluation', 'eda'],
  ['models'],
  ['batching', 'engines', 'simulator', 'dataset', 'plots'],
  ['interchange'],
  ['frames', 'graph', 'telemetry'],
  ['config', 'csv', 'files', 'queue', 'table'],
  ['errors', 'label-set', 'log', 'package-root', 'worker-flags', 'gen'],
];
// Sideways arrows that are drawn on purpose, each with its reason.
const allowedSideways = new Set([
  'evaluation>classify', // a version is scored along the way that frames take
  'training>evaluation', // epochs are scored with the metrics of reports
]);
// The only importers of a package family.
const only = {
  // The edge, seen from both sides, and the engine whose models are on another server.
  '@grpc/': ['rpc', 'client', 'engines'],
  'grpc-health-check': ['rpc'],
  'onnxruntime-node': ['engines'],
  '@tensorflow/': ['engines'],
  h5wasm: ['interchange'],
  fflate: ['interchange'],
  sharp: ['frames', 'plots', 'simulator'],
  echarts: ['plots'],
  'prom-client': ['telemetry'],
};

const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor])));
const root = resolve(import.meta.dirname, '../src');
const faults = [];

const roomOf = (file) => {
  const [first] = relative(root, file).split('/');
  return first.replace(/\.ts$/, '');
};

for (const file of readdirSync(root, { recursive: true })
  .map((name) => join(root, name))
  .filter((name) => name.endsWith('.ts'))) {
  const here = roomOf(file);
  if (here === 'gen') continue;
  if (!floorOf.has(here))
    faults.push(`${relative(root, file)}: room "${here}" has no floor in scripts/rooms.mjs`);
  const text = readFileSync(file, 'utf8');
  for (const [, specifier] of text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    for (const [family, rooms] of Object.entries(only)) {
      const isFamily = family.endsWith('/') ? specifier.startsWith(family) : specifier === family;
      if (isFamily && !rooms.includes(here)) {
        faults.push(`${relative(root, file)}: only ${rooms.join(', ')} may import ${specifier}`);
      }
    }
    if (!specifier.startsWith('.')) continue;
    const target = resolve(dirname(file), specifier).replace(/\.js$/, '.ts');
    const there = roomOf(target);
    if (there === here) continue;
    const isRoomFolder = relative(root, target).includes('/');
    if (isRoomFolder && there !== 'gen' && !target.endsWith('/index.ts')) {
      faults.push(`${relative(root, file)}: import ${there}/index.js, not ${specifier}`);
    }
    const isDown = floorOf.get(here) < floorOf.get(there);
    if (!isDown && !allowedSideways.has(`${here}>${there}`)) {
      faults.push(`${relative(root, file)}: ${here} may not import ${there}`);
    }
  }
}

if (faults.length > 0) {
  console.error(faults.join('\n'));
  console.error(`${faults.length} imports that do not point down`);
  process.exit(1);
}
console.log('rooms: every import points down');
