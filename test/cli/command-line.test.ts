import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { configFields } from '../../src/config.js';
import { packageRoot } from '../../src/package-root.js';
import { parseRunSpec } from '../../src/training/index.js';
import { networks } from '../../src/training/networks/index.js';
import { runCli } from './run-cli.js';

const commands = [
  [],
  ['serve'],
  ['train'],
  ['evaluate'],
  ['compare'],
  ['classify'],
  ['submission'],
  ['score'],
  ['eda'],
  ['simulate'],
  ['models'],
  ['models', 'list'],
  ['models', 'show'],
  ['models', 'promote'],
  ['models', 'rollback'],
  ['models', 'import'],
  ['models', 'export'],
  ['runs'],
  ['runs', 'list'],
  ['runs', 'show'],
  ['runs', 'watch'],
  ['runs', 'stop'],
  ['bench'],
  ['demo'],
];

for (const command of commands) {
  const name = ['cytostream', ...command].join(' ');
  test(`"${name} --help" explains itself in 80 columns, with an example, on standard output`, async (t) => {
    const { stdout, stderr, exitCode } = await runCli([...command, '--help']);
    t.is(exitCode, 0);
    t.is(stderr, '');
    t.true(stdout.startsWith(`Usage: ${name} `), stdout);
    t.regex(stdout, /Example:\n {2}\$ npx cytostream /);
    // Examples are there to be copied whole.
    const isWide = (line: string) => line.length > 80 && !line.startsWith('  $ ');
    t.deepEqual(stdout.split('\n').filter(isWide), []);
  });
}

test('help says what is required, what may be chosen and every network, and no empty default', async (t) => {
  const { stdout } = await runCli(['train', '--help']);
  const words = stdout.replace(/\s+/g, ' ');
  t.regex(words, /--model <name> name the version is published under \(required\)/);
  t.regex(words, /focal \(one of bce, weighted, focal; default: bce\)/);
  t.regex(words, new RegExp(`network to train: ${Object.keys(networks).join(', ')} \\(default`));
  t.notRegex(words, /default: (""|\[\]|\))/);
});

test('serve lists its settings in groups, with units and choices', async (t) => {
  const { stdout } = await runCli(['serve', '--help']);
  for (const { group } of configFields) t.true(stdout.includes(`\n${group}:\n`), group);
  t.regex(stdout, /--window-bytes <bytes> /);
  t.regex(stdout, /--grace-ms <ms> /);
  t.regex(stdout.replace(/\s+/g, ' '), /one of auto, full, half; default: auto/);
});

test('--version prints the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const { stdout, exitCode } = await runCli(['--version']);
  t.is(stdout, `${version}\n`);
  t.is(exitCode, 0);
});

const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown verb', ['trian'], /unknown command 'trian' \(Did you mean train\?\)/],
  [
    'an unknown option',
    ['score', '--predictions', 'x', '--treshold', '1'],
    /unknown option '--treshold'/,
  ],
  ['a missing option', ['train', '--model', 'cells'], /required option '--data <dir>'/],
  [
    'a setting of the server that is wrong',
    ['serve', '--grace-ms', 'soon', '--engine', 'other'],
    /--grace-ms: expected a whole number from 0 to 3600000, got "soon"; --engine: expected one of onnxruntime, tensorflow, remote, got "other"/,
  ],
  [
    'a number out of bounds',
    ['simulate', '--frames', '0'],
    /'--frames <number>' argument '0' is invalid\. Expected a whole number, at least 1\./,
  ],
  [
    'what no run may have',
    [
      'train',
      '--data',
      'd',
      '--model',
      'My Cells',
      '--freeze',
      'a',
      '--channels',
      'a/b',
      '--batch',
      '1',
    ],
    /--model: expected a name of .*, got "My Cells"; --channels: expected up to 64 roles/,
  ],
  [
    'a file of labels without any',
    ['train', '--data', 'd', '--model', 'cells', '--labels', '/dev/null'],
    /--labels: expected a name a line, \/dev\/null is empty/,
  ],
  [
    'an address without a port',
    ['models', 'list', '--server', 'localhost'],
    /Expected HOST:PORT, for example localhost:50051/,
  ],
];
for (const [what, args, expected] of mistakes) {
  test(`${what} is told in one line, with exit code 2`, async (t) => {
    const { stdout, stderr, exitCode } = await runCli(args);
    t.is(exitCode, 2);
    t.is(stdout, '');
    t.regex(stderr, /^cytostream: [^\n]+\n$/);
    t.regex(stderr, expected);
  });
}

const beyondRun: readonly (readonly [
  flag: string,
  value: string,
  expected: string,
  last: object,
  beyond: object,
])[] = [
  ['--epochs', '100001', 'a whole number, 1 to 100000', { epochs: 100_000 }, { epochs: 100_001 }],
  ['--batch', '4097', 'a whole number, 1 to 4096', { batchSize: 4096 }, { batchSize: 4097 }],
  [
    '--training-part',
    '1',
    'a number above 0, below 1',
    { trainingPart: 0.99 },
    { trainingPart: 1 },
  ],
  ['--held-out', '2', 'a number from 0, below 1', { heldOut: 0.99 }, { heldOut: 2 }],
  ['--warm-up', '1', 'a number from 0, below 1', { warmUp: 0.99 }, { warmUp: 1 }],
  ['--patience', '0', 'a whole number, 1 to 100000', { patience: 1 }, { patience: 0 }],
  [
    '--max-positive-weight',
    '10001',
    'a number above 0, at most 10000',
    { maxPositiveWeight: 10_000 },
    { maxPositiveWeight: 10_001 },
  ],
  ['--weight-decay', '2', 'a number from 0 to 1', { weightDecay: 1 }, { weightDecay: 2 }],
  ['--clip-norm', '-1', 'a number, at least 0', { clipNorm: 0 }, { clipNorm: -1 }],
  ['--ema-decay', '1', 'a number from 0, below 1', { emaDecay: 0.99 }, { emaDecay: 1 }],
  [
    '--size',
    '4097',
    'WIDTHxHEIGHT or an edge, from 1 to 4096 pixels',
    { inputSpec: { widthPx: 4096, heightPx: 4096 } },
    { inputSpec: { widthPx: 4097, heightPx: 4097 } },
  ],
];
test('train refuses by its flag what no run may have', async (t) => {
  for (const [flag, value, expected, last, beyond] of beyondRun) {
    const args = ['train', '--data', 'cells', '--model', 'cells', flag, value];
    const { stderr, exitCode } = await runCli(args);
    t.is(exitCode, 2, flag);
    t.regex(stderr, new RegExp(`'${flag} <\\w+>' argument '${value}' is invalid`));
    t.true(stderr.includes(`Expected ${expected}. (see --help)`), stderr);
    // The bounds of the flags are those of a run, which are stated elsewhere.
    const spec = { dataPath: 'cells', model: 'cells' };
    t.true('value' in parseRunSpec({ ...spec, ...last }), flag);
    t.true('faults' in parseRunSpec({ ...spec, ...beyond }), flag);
  }
});

test('a reader that leaves early is no failure', async (t) => {
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'dist/src/main.js'), 'train', '--help'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  // Closed before the command has had time to write anything.
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  t.is(exitCode, 0);
  t.is(stderr, '');
});
