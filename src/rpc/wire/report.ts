import type { EvaluatedPart, Intervals, Report, SeenReport } from '../../evaluation/index.js';
import type { InputSpec } from '../../frames/index.js';
import type {
  Intervals as WireIntervals,
  Report as WireReport,
  SeenFrames as WireSeen,
} from '../../gen/cytostream/v1/trainer.js';
import { evaluatedParts, resampledUnits } from './enums.js';
import { fromWireInputSpec, toWireInputSpec } from './frame.js';

/** A Report with the version that it is about. */
export interface VersionReport {
  readonly modelName: string;
  readonly modelVersion: number;
  readonly inputSpec: InputSpec;
  readonly report: Report;
}

export function toWireReport({ report, inputSpec, ...version }: VersionReport): WireReport {
  const { labels, pairs, intervals, doubts, reliability, reliabilityPresent, ...rest } = report;
  const { drift, seen, ...scores } = rest;
  return {
    ...version,
    ...scores,
    inputSpec: toWireInputSpec(inputSpec),
    labels: labels.map(({ precision, recall, f1, auroc, averagePrecision, ...label }) => ({
      ...label,
      ...{ precision: precision ?? 0, recall: recall ?? 0, f1: f1 ?? 0 },
      auroc: auroc ?? undefined,
      averagePrecision: averagePrecision ?? undefined,
    })),
    reliability: [...reliability],
    reliabilityPresent: [...reliabilityPresent],
    drift,
    seen: seen && {
      ...seen,
      part: evaluatedParts.toWire(seen.part),
      counts: seen.counts ?? undefined,
    },
    pairs: pairs.map(({ missed, given, count }) => ({
      missed: missed ?? undefined,
      given: given ?? undefined,
      count,
    })),
    intervals: intervals === null ? undefined : toWireIntervals(intervals),
    doubts: doubts.map(({ id, doubts: of }) => ({ frameId: id, doubts: [...of] })),
  };
}

/** A score that is 0 on the wire where no frame has the label. */
export function ofPresent<Score>(support: number, score: Score): Score | null {
  return support > 0 ? score : null;
}

export function fromWireReport(wire: WireReport): VersionReport {
  const { modelName, modelVersion, inputSpec, ...rest } = wire;
  const { labels, pairs, intervals, doubts, seen, ...scores } = rest;
  return {
    modelName,
    modelVersion,
    inputSpec: fromWireInputSpec(inputSpec),
    report: {
      ...scores,
      labels: labels.map(({ precision, recall, f1, auroc, averagePrecision, ...label }) => ({
        ...label,
        precision: ofPresent(label.support, precision),
        recall: ofPresent(label.support, recall),
        f1: ofPresent(label.support, f1),
        auroc: auroc ?? null,
        averagePrecision: averagePrecision ?? null,
      })),
      pairs: pairs.map(({ missed, given, count }) => ({
        missed: missed ?? null,
        given: given ?? null,
        count,
      })),
      intervals: intervals === undefined ? null : fromWireIntervals(intervals, labels),
      doubts: doubts.map(({ frameId, doubts: of }) => ({ id: frameId, doubts: of })),
      seen: seen && fromWireSeen(seen),
    },
  };
}

export function toWirePart(part: EvaluatedPart): number {
  return evaluatedParts.toWire(part);
}

function fromWireSeen({ part, counts, ...seen }: WireSeen): SeenReport {
  return { ...seen, part: evaluatedParts.parse(part) ?? 'all', counts: counts ?? null };
}

function toWireIntervals(intervals: Intervals): WireIntervals {
  const { macroAurocPresent, macroAveragePrecisionPresent, rankings } = intervals;
  return {
    ...intervals,
    unit: resampledUnits.toWire(intervals.unit),
    labels: intervals.labels.map((interval) => interval ?? { low: 0, high: 0 }),
    macroAurocPresent: macroAurocPresent ?? undefined,
    macroAveragePrecisionPresent: macroAveragePrecisionPresent ?? undefined,
    rankings: rankings.map(({ auroc, averagePrecision }) => ({
      auroc: auroc ?? undefined,
      averagePrecision: averagePrecision ?? undefined,
    })),
  };
}

function fromWireIntervals(
  wire: WireIntervals,
  labels: readonly { readonly support: number }[],
): Intervals {
  const nothing = { low: 0, high: 0 };
  return {
    ...wire,
    unit: resampledUnits.parse(wire.unit) ?? 'frame',
    macroF1: wire.macroF1 ?? nothing,
    macroF1Present: wire.macroF1Present ?? nothing,
    macroF1TrueOrGiven: wire.macroF1TrueOrGiven ?? nothing,
    microF1: wire.microF1 ?? nothing,
    weightedF1: wire.weightedF1 ?? nothing,
    exactMatch: wire.exactMatch ?? nothing,
    binaryAccuracy: wire.binaryAccuracy ?? nothing,
    labels: wire.labels.map((interval, label) => ofPresent(labels[label]?.support ?? 0, interval)),
    macroAurocPresent: wire.macroAurocPresent ?? null,
    macroAveragePrecisionPresent: wire.macroAveragePrecisionPresent ?? null,
    rankings: wire.rankings.map(({ auroc, averagePrecision }) => ({
      auroc: auroc ?? null,
      averagePrecision: averagePrecision ?? null,
    })),
  };
}
