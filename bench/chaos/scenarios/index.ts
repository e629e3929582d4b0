import type { Scenario } from '../scenario.js';
import { engineCrash, engineHang } from './engine-faults.js';
import { engineStalls } from './engine-stalls.js';
import { fullDisk } from './full-disk.js';
import { fullQueues } from './full-queues.js';
import { garbage } from './garbage.js';
import { hotSwap } from './hot-swap.js';
import { hungSigterm } from './hung-sigterm.js';
import { idleStreams } from './idle-streams.js';
import { killedTrainer } from './killed-trainer.js';
import { mutations } from './mutations.js';
import { sigterm } from './sigterm.js';
import { slowReaders } from './slow-readers.js';
import { vanishingClients } from './vanishing-clients.js';

/** Everything bad that is done to the server. A new one is a file here and a line below. */
export const scenarios: readonly Scenario[] = [
  engineCrash,
  engineHang,
  engineStalls,
  vanishingClients,
  fullQueues,
  slowReaders,
  garbage,
  idleStreams,
  mutations,
  fullDisk,
  killedTrainer,
  hotSwap,
  sigterm,
  hungSigterm,
];
