// The tables of what `npm run bench`, `soak` and `chaos` left, and a sentence on the latter two.

const madeOn = ({ at, machine: { processor, cores, memoryGib, node, onnxruntime } }) =>
  `On ${at.slice(0, 10)}, ${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ONNX Runtime ${onnxruntime}:`;
const line = (cells) => `| ${cells.join(' | ')} |`;
const tableOf = (left, head, rows) =>
  [madeOn(left), '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
const countOf = (frames) => frames.toLocaleString('en-US');
const endsOf = (outcomes) =>
  Object.entries(outcomes)
    .sort(([, left], [, right]) => right - left)
    .map(([outcome, frames]) => `${countOf(frames)} ${outcome}`)
    .join(', ');
const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);

/** Markdown of bench/results/latest.json. A row without a yardstick has no ratio. */
export function benchTable(bench) {
  const rows = bench.rows.map(({ what, yardstick, measured, value, goal }) => [
    what,
    yardstick,
    measured,
    value === null || yardstick === '–' ? '–' : value.toFixed(2),
    goal || '–',
  ]);
  return tableOf(bench, ['what', 'beside', 'measured', 'ratio', 'goal'], rows);
}

/** Markdown of bench/results/soak.json. */
export function soakTable(soak) {
  const head = [
    'engine',
    'frames',
    'lost, doubled, crossed',
    'memory of the server after the first frames',
    'at the end',
    'ratio (goal ≤ 1.1)',
  ];
  const rows = soak.results.map(
    ({ kind, outcomes, lost, doubled, crossed, memory, framesPerSecond }) => [
      kind,
      `${endsOf(outcomes)}, ${countOf(Math.round(framesPerSecond))}/s`,
      `${lost}, ${doubled}, ${crossed}`,
      `${memory.afterMib.toFixed(0)} MiB after ${countOf(memory.afterFrames)}`,
      `${memory.endMib.toFixed(0)} MiB`,
      memory.ratio.toFixed(2),
    ],
  );
  return tableOf(soak, head, rows);
}

/** The same in a sentence for each engine. */
export function soakInShort({ results }) {
  return results
    .map(
      ({ kind, admitted, lost, doubled, crossed, memory }) =>
        `${countOf(admitted)} frames on the ${kind} engine: ${lost} lost, ${doubled} doubled, ${crossed} crossed, ` +
        `and the server's memory at the end ${memory.ratio.toFixed(2)} of what it was after the first ${countOf(memory.afterFrames)} (goal ≤ 1.1).`,
    )
    .join('\n');
}

const healthOf = (health) =>
  health === null
    ? ['–', '–']
    : [`${health.longestMs.toFixed(0)} ms`, `${health.withoutCoreMs.toFixed(0)} ms`];

/** Markdown of bench/results/chaos.json. */
export function chaosTable(chaos) {
  const head = [
    'what is done',
    'frames, by how they ended',
    'lost',
    'longest health check',
    'of it without a core',
  ];
  const rows = chaos.results.map(({ name, what, seen, outcomes, lost, health, skipped }) =>
    skipped === null
      ? [
          `**${name}**: ${what}${seen ? `. *${seen}*` : ''}`,
          endsOf(outcomes),
          lost,
          ...healthOf(health),
        ]
      : [`**${name}**: ${what}`, `skipped: ${skipped}`, '–', '–', '–'],
  );
  return tableOf(chaos, head, rows);
}

/** The same in a sentence. */
export function chaosInShort({ results }) {
  const done = results.filter(({ skipped }) => skipped === null);
  const longestMs = Math.max(...done.map(({ health }) => health?.longestMs ?? 0));
  const frames = countOf(sumOf(done.map(({ admitted }) => admitted)));
  return (
    `${done.length} kinds of torment (${done.map(({ name }) => name).join(', ')}): ` +
    `${frames} frames, ${sumOf(done.map(({ lost }) => lost))} lost, and no health check took longer than ${longestMs.toFixed(0)} ms.`
  );
}
