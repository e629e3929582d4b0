import type { Report } from '../../evaluation/index.js';
import type { InputSpec } from '../../frames/index.js';
import type { Report as WireReport } from '../../gen/cytostream/v1/trainer.js';
import { fromWireInputSpec, toWireInputSpec } from './frame.js';

/** A Report with the version that it is about. */
export interface VersionReport {
  readonly modelName: string;
  readonly modelVersion: number;
  readonly inputSpec: InputSpec;
  readonly report: Report;
}

export function toWireReport(of: VersionReport): WireReport {
  const { report } = of;
  return {
    modelName: of.modelName,
    modelVersion: of.modelVersion,
    inputSpec: toWireInputSpec(of.inputSpec),
    frameCount: report.frameCount,
    binaryAccuracy: report.binaryAccuracy,
    alwaysNoAccuracy: report.alwaysNoAccuracy,
    exactMatch: report.exactMatch,
    microF1: report.microF1,
    macroF1: report.macroF1,
    macroF1Present: report.macroF1Present,
    macroAurocPresent: report.macroAurocPresent,
    macroAveragePrecisionPresent: report.macroAveragePrecisionPresent,
    meanBinaryCrossEntropy: report.meanBinaryCrossEntropy,
    labels: report.labels.map(({ auroc, averagePrecision, ...label }) => ({
      ...label,
      auroc: auroc ?? undefined,
      averagePrecision: averagePrecision ?? undefined,
    })),
  };
}

export function fromWireReport(wire: WireReport): VersionReport {
  const { modelName, modelVersion, inputSpec, labels, ...scores } = wire;
  return {
    modelName,
    modelVersion,
    inputSpec: fromWireInputSpec(inputSpec ?? { channels: [], widthPx: 0, heightPx: 0, resize: 0 }),
    report: {
      ...scores,
      labels: labels.map(({ auroc, averagePrecision, ...label }) => ({
        ...label,
        auroc: auroc ?? null,
        averagePrecision: averagePrecision ?? null,
      })),
    },
  };
}
