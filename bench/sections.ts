import { measureClassify } from './classify.js';
import { measureFirstPass } from './first-pass.js';
import { measureIsolation } from './isolation.js';
import { measureNetworks } from './networks.js';
import { measurePrepare } from './prepare.js';
import { measureTrainingMemory } from './training-memory.js';
import { benchTrainingStep } from './training-step.js';
import { measureTransport } from './transport.js';

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly yardstick: string;
  readonly measured: string;
  /** Measured ÷ yardstick, null where that could not run; where none is ("–"), what was measured. */
  readonly value: number | null;
  /** "≥ 0.95", "≤ 20 ms". */
  readonly goal: string;
  /** Frames without an answer, or with one that is not ok; absent where none were answered. */
  readonly lost?: number;
}

export interface SectionOptions {
  /** Whether it is only to be seen that everything runs: seconds each, figures that say little. */
  readonly isShort: boolean;
  /** Hears of what is missing. */
  readonly say: (line: string) => void;
}

const shortClassify = { rounds: 1, roundMs: 500, stretches: 1, warmMs: 500 };

/** Bare grpc-js says what of the rest is the transport's own. */
const transportGoals = { 'C++': '≥ 0.8', Python: '≥ 1.7', 'Node.js': '' } as const;

const perSecond = (rate: number) => `${rate.toFixed(rate < 1000 ? 1 : 0)} frames/s`;
const ms = (value: number) => `${value.toFixed(2)} ms`;

/** What is measured, by the words that choose it. */
export const sections: Readonly<
  Record<string, (options: SectionOptions) => Promise<readonly Row[]>>
> = {
  async classify({ isShort, say }) {
    const serving = await measureClassify(isShort ? shortClassify : {}, say);
    const arrivals = [
      ['clocked', 'each stream by its clock', '≤ 3'],
      ['random', 'in random bunches', ''],
    ] as const;
    return [
      {
        what: 'streaming Classify, 64 KiB raw frames, 8 streams',
        yardstick: 'the bare engine loop on the same cores',
        measured: `${perSecond(serving.serverFramesPerSecond)} ÷ ${perSecond(serving.engineFramesPerSecond)}`,
        value: serving.throughputRatio,
        goal: '≥ 0.95',
      },
      ...arrivals.map(([name, how, goal]) => {
        const { p50Ms, p99Ms, stretches, frames, lost } = serving.waiting[name];
        return {
          what: `p99 of total time at 60 % of that load, ${how} (median of ${stretches} stretches, ${frames} frames, ${lost} lost)`,
          yardstick: "the bare engine's run of one frame",
          measured: `${ms(p99Ms)} (p50 ${ms(p50Ms)}) ÷ ${ms(serving.engineRunOfOneMs)}`,
          value: p99Ms / serving.engineRunOfOneMs,
          goal,
          lost,
        };
      }),
      ...arrivals.map(([name, how]) => {
        const { p99Ms, bareP99Ms } = serving.waiting[name];
        return {
          what: `the same p99, ${how}`,
          yardstick: 'the bare engine, given the same arrivals in stretches between',
          measured: `${ms(p99Ms)} ÷ ${ms(bareP99Ms)}`,
          value: p99Ms / bareP99Ms,
          goal: '',
        };
      }),
      {
        what: 'longest event-loop stall while serving',
        yardstick: serving.idleStallMs === null ? '–' : 'a process that only waits, meanwhile',
        measured:
          serving.idleStallMs === null
            ? ms(serving.stallMs)
            : `${ms(serving.stallMs)}; ${ms(serving.idleStallMs)}`,
        value: serving.stallMs,
        goal: '≤ 20 ms',
      },
    ];
  },
  async isolation({ isShort }) {
    const { framesPerSecond, alone, beside, trainedPerSecond } = await (isShort
      ? measureIsolation({ rounds: 1, seconds: 1, frameCount: 64 })
      : measureIsolation());
    return [
      {
        what: `p99 of total time at a quarter of that load (${framesPerSecond.toFixed(0)} frames/s) while a run trains on the same cores (${beside.lost + alone.lost} lost)`,
        yardstick: 'the same without a run',
        measured: `${ms(beside.p99Ms)} (p50 ${ms(beside.p50Ms)}) ÷ ${ms(alone.p99Ms)} (p50 ${ms(alone.p50Ms)})`,
        value: beside.p99Ms / alone.p99Ms,
        goal: '≤ 2',
        lost: beside.lost + alone.lost,
      },
      {
        what: 'frames that the run trains meanwhile',
        yardstick: 'with nobody to make room for',
        measured: `${perSecond(trainedPerSecond.beside)} ÷ ${perSecond(trainedPerSecond.alone)}`,
        value: trainedPerSecond.beside / trainedPerSecond.alone,
        goal: '',
      },
    ];
  },
  async transport({ isShort, say }) {
    const rows = await measureTransport(isShort ? { seconds: 0.3, rounds: 1 } : {}, say);
    return rows.map(({ frameBytes, yardstick, ours, theirs, ratio }) => ({
      what: `transport only, ${frameBytes / 1024} KiB frames, CPU of the server a frame`,
      yardstick: `a bare server of gRPC's ${yardstick}`,
      measured: `${ms(theirs.cpuMs)} (${perSecond(theirs.framesPerSecond)}) ÷ ${ms(ours.cpuMs)} (${perSecond(ours.framesPerSecond)})`,
      value: ratio,
      // The goals are of frames up to 2 MiB.
      goal: frameBytes > 2 * 1024 * 1024 ? '' : transportGoals[yardstick],
    }));
  },
  async prepare({ isShort }) {
    const rows: Row[] = [];
    for (const bits of [8, 16] as const) {
      const { oursMs, sharpMs, ratio } = await measurePrepare(bits, isShort ? 1 : 15);
      rows.push({
        what: `prepare: four 512² ${bits}-bit PNG planes to 4×128×128, CPU a frame`,
        yardstick: "sharp's own decode and resize",
        measured: `${ms(oursMs)} ÷ ${ms(sharpMs)}`,
        value: ratio,
        goal: bits === 8 ? '≤ 0.4' : '',
      });
    }
    return rows;
  },
  async networks({ isShort }) {
    const medians = await (isShort ? measureNetworks(3) : measureNetworks());
    return (['resnet-small', 'resnet-large'] as const).map((name) => ({
      what: `one frame of 4×128×128 through ${name}, 1 thread`,
      yardstick: 'through seed-cnn, the first network',
      measured: `${ms(medians[name])} ÷ ${ms(medians['seed-cnn'])}`,
      value: medians[name] / medians['seed-cnn'],
      goal: '',
    }));
  },
  async loading({ isShort }) {
    const { framesPerSecond, boundPerSecond, ratio } = await (isShort
      ? measureFirstPass(2, 1)
      : measureFirstPass());
    return [
      {
        what: 'first pass of a training over 2048² 8-bit PNG planes, into the cache',
        yardstick: 'all cores preparing frames and nothing else',
        measured: `${perSecond(framesPerSecond)} ÷ ${perSecond(boundPerSecond)}`,
        value: ratio,
        goal: '≥ 0.85',
      },
    ];
  },
  async training({ isShort, say }) {
    const step = await benchTrainingStep(isShort ? { rounds: 1 } : {}, say);
    const size = isShort ? { batchSize: 2 } : {};
    const residualMib = await measureTrainingMemory('resnet-small', size);
    const seedMib = await measureTrainingMemory('seed-cnn', size);
    const mib = (value: number) => `${value.toFixed(0)} MiB`;
    return [
      {
        what: 'training step, batch 32 of 4×128×128, 2 threads',
        yardstick: 'PyTorch on the same cores',
        measured: `${ms(step.stepMs)} ÷ ${step.yardstickMs === null ? 'no PyTorch here' : ms(step.yardstickMs)}`,
        value: step.ratio,
        goal: '≤ 0.7',
      },
      {
        what: 'peak memory of that training process',
        yardstick: '–',
        measured: mib(step.peakMib),
        value: step.peakMib,
        goal: '≤ 1536 MiB',
      },
      {
        what: 'training step of resnet-small, batch 32 of 4×128×128, 2 threads',
        yardstick: 'of seed-cnn, the first network',
        measured: `${ms(step.residualMs)} ÷ ${ms(step.stepMs)}`,
        value: step.residualMs / step.stepMs,
        goal: '',
      },
      {
        what: 'peak memory of training resnet-small, batch 32 of 4×256×256',
        yardstick: 'of seed-cnn, the first network',
        measured: `${mib(residualMib)} ÷ ${mib(seedMib)}`,
        value: residualMib / seedMib,
        goal: '',
      },
    ];
  },
};
