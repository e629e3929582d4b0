import { hpaLabels, type LabelSet } from '../label-set.js';
import { formatTable, left, right, type TableOptions } from '../table.js';
import type { Run } from '../training/index.js';
import { formatFacts, formatMinute, wrapLine } from './fit-line.js';
import { describeDevice, describeEpoch, formatScore, type KeptScores } from './follow-run.js';

/** Every run in a line. */
export function formatRuns(runs: readonly Run[], options: TableOptions): string {
  return formatTable(
    [
      ...[left('run'), left('state'), left('model'), left('started', 1)],
      ...[right('epochs'), right('macro F1, present'), left('published')],
    ],
    runs.map((run) => {
      const best = run.history.findLast((scores) => scores.best);
      return [
        run.id,
        run.state,
        run.spec.model,
        formatMinute(run.startedAtMs),
        `${run.history.length}/${run.spec.epochs}`,
        formatScore(best?.validationMacroF1Present),
        run.publishedVersion === null ? '-' : `${run.spec.model}@${run.publishedVersion}`,
      ];
    }),
    options,
  );
}

/** One run: what it was asked for, by the options of `train`, and its epochs. */
export function formatRun(run: Run, options: TableOptions): string {
  const facts: readonly (readonly [string, string])[] = [
    ['run', run.id],
    ['state', run.failure === '' ? run.state : `${run.state}: ${run.failure}`],
    ...(run.resumable ? [['go on', `npx cytostream runs resume ${run.id}`] as const] : []),
    ['device', describeDevice(run) || '-'],
    ['started', new Date(run.startedAtMs).toISOString()],
    ['ended', run.endedAtMs === null ? '-' : new Date(run.endedAtMs).toISOString()],
    [
      'published',
      run.publishedVersion === null ? '-' : `${run.spec.model}@${run.publishedVersion}`,
    ],
    ...settingsOf(run.spec),
  ];
  const epochs = formatEpochs(run.history, run.spec.epochs, options);
  return [formatFacts(facts, options), ...epochs].join('\n');
}

/** What a training was asked for, by the options of `train`; of an earlier release what that one knew. */
export function settingsOf(spec: object): readonly (readonly [option: string, value: string])[] {
  const { inputSpec, labels, ...rest } = spec as Partial<Run['spec']>; // each may be absent
  const settings = { ...rest, ...inputOf(inputSpec), ...(labels && { labels: namesOf(labels) }) };
  return Object.entries(settings).map(([name, value]) => [optionOf(name), String(value) || '-']);
}

function inputOf(inputSpec: Run['spec']['inputSpec'] | undefined): Record<string, string> {
  if (inputSpec === undefined) return {};
  const { widthPx, heightPx, channels, resize } = inputSpec;
  const size = widthPx > 0 ? `${widthPx}x${heightPx}` : '';
  return { size, channels: channels.join(','), resize };
}

const namesOf = (labels: LabelSet): string =>
  `${labels}` === `${hpaLabels}` ? 'the 28 of the HPA' : labels.join(', ');

/** An epoch in a line, or in as many as the width takes. */
export function formatEpochs(
  history: readonly KeptScores[],
  epochs: number,
  { columns = Number.POSITIVE_INFINITY }: TableOptions,
): readonly string[] {
  return history.flatMap((scores) => wrapLine(describeEpoch(scores, epochs), columns));
}

/** A setting of a run as `train` calls it, without the dashes. */
export function optionOf(name: string): string {
  return optionNames[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

const optionNames: Readonly<Record<string, string>> = {
  dataPath: 'data',
  batchSize: 'batch',
  parent: 'from',
  widthPx: 'size',
  heightPx: 'size',
};
