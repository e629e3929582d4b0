import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { configFields } from '../../src/config.js';
import { packageRoot } from '../../src/package-root.js';
import { createMetrics } from '../../src/telemetry/index.js';

const deploy = join(packageRoot, 'deploy');
const files = readdirSync(deploy, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

test('every metric that a dashboard, an alert or a manifest names exists', async (t) => {
  const names = new Set(await createMetrics().names());
  let seen = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const [name] of text.matchAll(/\b(?:cytostream|nodejs|process)_[a-z0-9_]+\b/g)) {
      seen += 1;
      t.true(names.has(name), `${file} names ${name}, which nobody measures`);
    }
  }
  t.true(seen > 20, `only ${seen} names were found`);
});

test('the dashboard shows every metric of the server', async (t) => {
  const dashboard = readFileSync(join(deploy, 'grafana/cytostream.json'), 'utf8');
  t.truthy(JSON.parse(dashboard).panels.length);
  const stems = (await createMetrics().names())
    .filter((name) => name.startsWith('cytostream_'))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''));
  for (const stem of new Set(stems)) t.true(dashboard.includes(stem), stem);
});

test('every setting that a manifest or the image makes exists', (t) => {
  const known = new Set(configFields.map(({ env }) => env));
  for (const file of [...files, join(packageRoot, 'Dockerfile')]) {
    // Not in comments: they may speak of what is not set.
    const text = readFileSync(file, 'utf8').replace(/#.*/g, '');
    for (const [name] of text.matchAll(/\bCYTOSTREAM_[A-Z_]+\b/g)) {
      t.true(known.has(name), `${file} sets ${name}, which nobody reads`);
    }
  }
});

test('with a GPU the same server runs from the image that has CUDA, and on nothing else', (t) => {
  const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
  t.regex(read('Dockerfile'), /^FROM nvidia\/cuda\S+ AS gpu$/m);
  const { choices } = configFields.find(({ env }) => env === 'CYTOSTREAM_DEVICE') ?? {};
  t.true(choices?.includes('cuda'));

  // An overlay replaces parts of what it is laid over, by their names.
  const compose = read('deploy/compose.gpu.yaml');
  t.regex(read('deploy/compose.yaml'), /^services:\n {2}cytostream:\n/m);
  t.regex(compose, /^services:\n {2}cytostream:\n {4}build:\n {6}target: gpu\n/m);
  t.regex(compose, /^ +CYTOSTREAM_DEVICE: cuda$/m);
  t.regex(compose, /driver: nvidia\n +count: 1\n +capabilities: \[gpu\]\n/);

  const patch = read('deploy/kubernetes/gpu.yaml');
  const [, image] = /image: (\S+)/.exec(read('deploy/kubernetes/cytostream.yaml')) ?? [];
  t.true(patch.includes(`- name: cytostream\n          image: ${image}-gpu\n`));
  t.true(patch.includes(`docker build -t ${image}-gpu --target gpu .\n`));
  t.regex(patch, /name: CYTOSTREAM_DEVICE, value: cuda /);
  t.regex(patch, /limits: \{ nvidia\.com\/gpu: 1,/);
});

test('every alert says where it is told what to do', (t) => {
  const alerts = readFileSync(join(deploy, 'prometheus/alerts.yml'), 'utf8');
  const runbook = readFileSync(join(deploy, 'README.md'), 'utf8');
  const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? '');
  t.true(names.length > 5);
  for (const name of names) {
    t.true(alerts.includes(`runbook: 'deploy/README.md#${name.toLowerCase()}'`), name);
    t.true(runbook.includes(`### ${name}\n`), `${name} has no section`);
  }
});
