import { DomainError } from '../../errors.js';
import type { Comparison, Difference } from '../../evaluation/index.js';
import type {
  Comparison as WireComparison,
  Difference as WireDifference,
} from '../../gen/cytostream/v1/trainer.js';
import { resampledUnits } from './enums.js';
import { fromWireReport, ofPresent, toWireReport, type VersionReport } from './report.js';

/** Two versions on the same frames, with what they are. */
export interface VersionComparison {
  readonly comparison: Comparison;
  readonly first: Omit<VersionReport, 'report'>;
  readonly second: Omit<VersionReport, 'report'>;
}

export function toWireComparison({ comparison, first, second }: VersionComparison): WireComparison {
  const { firstRef: _first, secondRef: _second, unit, labels, ...others } = comparison;
  const { macroAveragePrecisionPresent, macroAurocPresent, ...rest } = others;
  return {
    ...rest,
    macroAveragePrecisionPresent: macroAveragePrecisionPresent ?? undefined,
    macroAurocPresent: macroAurocPresent ?? undefined,
    unit: resampledUnits.toWire(unit),
    labels: labels.map(({ firstF1, secondF1, ...label }) => ({
      ...label,
      ...{ firstF1: firstF1 ?? 0, secondF1: secondF1 ?? 0 },
    })),
    first: toWireReport({ ...first, report: comparison.first }),
    second: toWireReport({ ...second, report: comparison.second }),
  };
}

export function fromWireComparison(wire: WireComparison): VersionComparison {
  const { macroF1Present, macroF1TrueOrGiven, macroF1, microF1, exactMatch, ...others } = wire;
  const { macroAveragePrecisionPresent, macroAurocPresent, ...differences } = others;
  const { first, second, unit, labels, ...rest } = differences;
  const [one, other] = [toldReport(first), toldReport(second)];
  const refOf = ({ modelName, modelVersion }: VersionReport) => `${modelName}@${modelVersion}`;
  return {
    comparison: {
      ...rest,
      ...{ firstRef: refOf(one), secondRef: refOf(other) },
      unit: resampledUnits.parse(unit) ?? 'frame',
      macroF1Present: fromWireDifference(macroF1Present),
      macroF1TrueOrGiven: fromWireDifference(macroF1TrueOrGiven),
      macroF1: fromWireDifference(macroF1),
      microF1: fromWireDifference(microF1),
      exactMatch: fromWireDifference(exactMatch),
      macroAveragePrecisionPresent:
        macroAveragePrecisionPresent === undefined
          ? null
          : fromWireDifference(macroAveragePrecisionPresent),
      macroAurocPresent:
        macroAurocPresent === undefined ? null : fromWireDifference(macroAurocPresent),
      labels: labels.map(({ firstF1, secondF1, ...label }) => ({
        ...label,
        firstF1: ofPresent(label.support, firstF1),
        secondF1: ofPresent(label.support, secondF1),
      })),
      ...{ first: one.report, second: other.report },
    },
    first: withoutReport(one),
    second: withoutReport(other),
  };
}

function toldReport(wire: WireComparison['first']): VersionReport {
  if (wire === undefined) throw new DomainError('internal', 'the server left out a report');
  return fromWireReport(wire);
}

function withoutReport({ report: _, ...version }: VersionReport): Omit<VersionReport, 'report'> {
  return version;
}

function fromWireDifference(wire: WireDifference | undefined): Difference {
  if (wire === undefined) throw new DomainError('internal', 'the server left out a difference');
  return { ...wire, interval: wire.interval ?? { low: 0, high: 0 } };
}
