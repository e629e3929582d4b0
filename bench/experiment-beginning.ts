import { existsSync } from 'node:fs';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../src/files/index.js';
import { writeSimulatedDataset } from '../src/simulator/index.js';
import { parseRunSpec, type RunSpec } from '../src/training/index.js';
import { exportFiles } from '../src/training/process/messages.js';
import { digestBeginning } from './experiment-digest.js';
import { type Beginning, countCpu, trainInPlace } from './experiment-training.js';

/** A network that learns simulated cells, for others to begin with. */
export interface BeginningRecipe {
  /** Simulated, of all 28 labels, one or two to a frame. */
  readonly frameCount: number;
  readonly spec: Partial<RunSpec>;
}

/** A beginning, and what it cost. */
export interface Begun extends Beginning {
  /** Of all threads, the simulation of its frames counted in. */
  readonly cpuSeconds: number;
}

/** Fixes its frames and weights: every seed of an experiment begins with the same. */
const seed = 100;

/**
 * Simulates the frames and trains on them, or takes what an earlier call left in `workDir`.
 * Throws what the simulator and a run throw.
 */
export async function trainBeginning(
  recipe: BeginningRecipe,
  { workDir, threads }: { readonly workDir: string; readonly threads: number },
  print: (line: string) => void,
): Promise<Begun> {
  const { frameCount, spec } = recipe;
  const place = join(workDir, `beginning-${digestBeginning(recipe)}`);
  const model = join(place, 'model.onnx');
  const notes = join(place, 'notes.json');
  if (existsSync(notes)) {
    const kept = JSON.parse(await readFile(notes, 'utf8')) as Omit<Begun, 'model'>;
    return { model, ...kept };
  }
  const dataPath = join(place, 'simulated');
  const simulated = join(place, 'simulated.json');
  if (!existsSync(simulated)) {
    print(`simulating ${frameCount} frames to begin with`);
    await rm(dataPath, { recursive: true, force: true });
    const counted = countCpu();
    await writeSimulatedDataset(dataPath, { frameCount, sizePx: 128, seed });
    await writeDurably(simulated, [Buffer.from(JSON.stringify({ cpuSeconds: counted() }))]);
  }
  const simulation = JSON.parse(await readFile(simulated, 'utf8')) as Pick<Begun, 'cpuSeconds'>;
  const parsed = parseRunSpec({ ...spec, dataPath, model: 'simulated', seed });
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  const { outcome, folder, ...trained } = await trainInPlace(
    {
      ...{ title: 'simulated cells', spec: parsed.value, beginning: null },
      ...{ place, frameCache: join(workDir, 'frames'), threads },
    },
    print,
  );
  if (outcome.exported === null) throw new Error(`the run ${outcome.state}: ${outcome.reason}`);
  await copyFile(join(folder, exportFiles.model), model);
  const { temperature } = outcome.exported.calibration;
  const cpuSeconds = simulation.cpuSeconds + trained.cpuSeconds;
  await writeDurably(notes, [Buffer.from(JSON.stringify({ temperature, cpuSeconds }))]);
  await rm(folder, { recursive: true, force: true });
  return { model, temperature, cpuSeconds };
}
