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
