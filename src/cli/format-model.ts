import type { ModelDescription } from '../client/index.js';
import { formatTable, left, right, type TableOptions } from '../table.js';
import { formatFacts, formatMinute } from './fit-line.js';
import { formatScore } from './follow-run.js';
import { formatEpochs, settingsOf } from './format-run.js';

/** Every version in a line. */
export function formatModels(models: readonly ModelDescription[], options: TableOptions): string {
  return formatTable(
    [
      ...[left('model'), left('aliases'), left('state')],
      ...[right('macro F1, present'), right('accuracy'), right('"no"')],
      ...[left('created', 2), left('run', 1)],
    ],
    models.map((model) => [
      `${model.name}@${model.version}`,
      model.aliases.join(', '),
      model.state,
      formatScore(model.scores?.macroF1Present),
      model.scores?.binaryAccuracy.toFixed(4) ?? '-',
      model.scores?.alwaysNoAccuracy.toFixed(4) ?? '-',
      formatMinute(model.createdAtMs),
      model.runId === '' ? 'imported' : model.runId,
    ]),
    options,
  );
}

/** One version: what it is and takes, where it came from, its labels and thresholds. */
export function formatModel(model: ModelDescription, options: TableOptions): string {
  const { inputSpec, scores } = model;
  const facts: readonly (readonly [string, string])[] = [
    ['model', `${model.name}@${model.version}`],
    ['aliases', model.aliases.join(', ') || '-'],
    ['state', model.failure === '' ? model.state : `${model.state}: ${model.failure}`],
    ['device', model.device || 'not loaded'],
    ['precision', [model.precision || '-', model.precisionNote].filter(Boolean).join(': ')],
    ['raw planes', model.resizeNote || '-'],
    [
      'input',
      `uint8 [N, ${inputSpec.channels.length}, ${inputSpec.heightPx}, ${inputSpec.widthPx}], ${inputSpec.resize}`,
    ],
    ['channels', inputSpec.channels.join(', ')],
    ['created', new Date(model.createdAtMs).toISOString()],
    ['run', model.runId || 'imported'],
    ['parent', model.parent || '-'],
    ['dataset', model.datasetFingerprint || '-'],
    ['sha256', model.sha256],
    ['thresholds', model.thresholdsSource],
    ['temperature', formatCalibration(model.calibration)],
    ['explains', model.explains ? 'yes: classify --explain' : 'no'],
    ['scores at 0.5', formatScores(scores)],
    ['at its thresholds', formatThresholdScores(scores)],
  ];
  const labels = formatTable(
    [right('index'), left('label'), right('threshold')],
    model.labels.map((label, index) => [index, label, model.thresholds[index]?.toFixed(3) ?? '-']),
  );
  const parts = [formatFacts(facts, options), labels];
  return [...parts, ...formatTraining(model.training, options)].join('\n\n');
}

/** As the version keeps it, also where its run is not. */
function formatTraining(
  training: ModelDescription['training'],
  options: TableOptions,
): readonly string[] {
  if (training === null) return [];
  const { spec, history } = training;
  const epochs = formatEpochs(history, Number(spec['epochs']), options);
  return [['trained with', formatFacts(settingsOf(spec), options), ...epochs].join('\n')];
}

function formatScores(scores: ModelDescription['scores']): string {
  if (scores === null) return 'none';
  return (
    `macro F1, labels present ${formatScore(scores.macroF1Present)}, ` +
    `all labels ${scores.macroF1.toFixed(4)}, ` +
    `macro average precision, labels present ${formatScore(scores.macroAveragePrecisionPresent)}, ` +
    `binary accuracy ${scores.binaryAccuracy.toFixed(4)} ` +
    `("no" to everything: ${scores.alwaysNoAccuracy.toFixed(4)}), loss ${scores.loss.toFixed(4)}, ` +
    `on ${scores.frameCount} frames`
  );
}

/**
 * They were chosen on the frames of the scores: the only numbers of a version
 * that are too good, unless it began with one of which nobody knows what it was trained on.
 */
function formatThresholdScores(scores: ModelDescription['scores']): string {
  if (!scores?.atThresholds) return 'none';
  const { macroF1, macroF1Present, binaryAccuracy } = scores.atThresholds;
  return (
    `macro F1, labels present ${macroF1Present.toFixed(4)}, all labels ${macroF1.toFixed(4)}, ` +
    `binary accuracy ${binaryAccuracy.toFixed(4)} ` +
    `("no" to everything: ${scores.alwaysNoAccuracy.toFixed(4)}), ` +
    'on the frames that they were chosen on: expect less on others'
  );
}

function formatCalibration(calibration: ModelDescription['calibration']): string {
  if (calibration === null) return 'none: probabilities are served as they came';
  const { temperature, errorBefore, errorAfter, frameCount } = calibration;
  return (
    `${temperature.toFixed(3)}, within the graph; expected calibration error of the labels present ` +
    `${errorBefore.toFixed(4)} before, ${errorAfter.toFixed(4)} after, on ${frameCount} validation frames`
  );
}
