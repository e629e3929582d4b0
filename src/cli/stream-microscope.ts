import type { Client } from '../client/index.js';
import { DomainError } from '../errors.js';
import type { Frame } from '../frames/index.js';
import { hpaLabels } from '../label-set.js';
import type { Acquisition } from '../simulator/index.js';
import { createLiveLines } from './live-lines.js';
import {
  createStreamView,
  formatFrame,
  formatHeadline,
  type ShownFrame,
  type StreamSummary,
} from './stream-view.js';
import type { Terminal } from './terminal.js';

export interface StreamMicroscopeOptions {
  /** "name", "name@3", "name@candidate"; empty: the only model of the server. */
  readonly model: string;
  /** What the microscope sees, as it sees it. */
  readonly acquisitions: AsyncIterable<Acquisition>;
  /** Shows nothing. */
  readonly quiet: boolean;
}

/** Lines of a terminal that show the last frames. */
const shownFrames = 10;
/** Where nothing can be drawn again, one frame in so many is printed. */
const printedFrameEvery = 10;
const redrawEveryMs = 100;

/**
 * Streams a simulated microscope to a server and shows each frame's answer beside the
 * truth. The model gets the planes that it takes, of those that are simulated.
 *
 * Throws `verb_unfit` for a model that takes others, what ended the stream, and when a
 * frame was left without an answer.
 */
export async function streamMicroscope(
  { model, acquisitions, quiet }: StreamMicroscopeOptions,
  { client, terminal }: { readonly client: Client; readonly terminal: Terminal },
): Promise<StreamSummary> {
  const view = createStreamView();
  const unanswered = new Map<
    string,
    { readonly atMs: number; readonly truth: readonly string[] }
  >();
  let tellChannels = (_channels: readonly string[]): void => {};
  const channelsTold = new Promise<readonly string[]>((resolve) => {
    tellChannels = resolve;
  });
  async function* frames() {
    for await (const { frame, labels } of acquisitions) {
      const sentFrame = { ...frame, planes: planesOf(frame, await channelsTold) };
      const truth = labels.map((index) => hpaLabels[index] ?? `label ${index}`);
      unanswered.set(frame.id, { atMs: performance.now(), truth });
      yield sentFrame;
    }
  }

  const live = !quiet && terminal.isInteractive ? createLiveLines(process.stdout) : null;
  let last: readonly ShownFrame[] = [];
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  const draw = () => {
    drawnAtMs = performance.now();
    const columns = terminal.columns - 1;
    live?.draw([
      formatHeadline(view.summary()).slice(0, columns),
      ...last.map((shown) => formatFrame(shown, columns)),
    ]);
  };

  let names: readonly string[] = [];
  for await (const reply of client.classify({ model, priority: 'high' }, frames())) {
    if (reply.kind === 'model') {
      names = reply.model.labels;
      tellChannels(reply.model.inputSpec.channels);
      continue;
    }
    const { frameId, outcome, message, probabilities } = reply.prediction;
    const sent = unanswered.get(frameId);
    if (sent === undefined) throw new Error(`bug: an answer to "${frameId}", which awaits none`);
    unanswered.delete(frameId);
    const shown: ShownFrame = {
      frameId,
      latencyMs: performance.now() - sent.atMs,
      truth: sent.truth,
      top: topLabels(probabilities, names, Math.max(2, sent.truth.length)),
      outcome: outcome === 'ok' ? outcome : `${outcome}: ${message}`,
    };
    view.add(shown);
    last = [...last.slice(1 - shownFrames), shown];
    if (live !== null) {
      if (performance.now() - drawnAtMs >= redrawEveryMs) draw();
    } else if (!quiet && view.summary().frames % printedFrameEvery === 1) {
      terminal.print(formatFrame(shown, 160));
    }
  }
  if (unanswered.size > 0) throw new Error(`${unanswered.size} frames were left without an answer`);
  if (live !== null) draw();
  else if (!quiet) terminal.print(formatHeadline(view.summary()));
  return view.summary();
}

function planesOf({ planes }: Frame, channels: readonly string[]): Frame['planes'] {
  const taken = planes.filter(({ channel }) => channels.includes(channel));
  if (taken.length === channels.length) return taken;
  const simulated = planes.map(({ channel }) => channel).join(', ');
  throw new DomainError(
    'verb_unfit',
    `expected a model of channels that are simulated (${simulated}), it takes ${channels.join(', ')}`,
  );
}

function topLabels(
  probabilities: Iterable<number>,
  names: readonly string[],
  count: number,
): ShownFrame['top'] {
  return Array.from(probabilities, (probability, index) => ({
    label: names[index] ?? `label ${index}`,
    probability,
  }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count);
}
