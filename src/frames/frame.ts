import type { Priority, WhenFull } from '../queue/index.js';

/** How one pixel of a raw plane is stored; multi-byte types are little-endian. */
export type PixelType = 'uint8' | 'uint16' | 'float32';

export type Encoding = 'raw' | 'png' | 'tiff' | 'jpeg';

/** The roles of the Human Protein Atlas, in the order of its colours red, green, blue, yellow. */
export const hpaChannels = ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'] as const;

/** One two-dimensional array of a Frame: one channel. */
export interface Plane {
  /** The role, never an alias such as "red". */
  readonly channel: string;
  /** Raw: rows top to bottom, no padding. Encoded: one grey file. */
  readonly bytes: Uint8Array;
}

/** One acquisition at one place and time: planes of the same size. */
export interface Frame {
  readonly id: string;
  /** 0 for encoded planes whose files say it. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelType: PixelType;
  /** Low bits of a uint16 pixel that are used, 1..16; 0 means all. */
  readonly significantBits: number;
  readonly encoding: Encoding;
  readonly planes: readonly Plane[];
}

/** How a frame is brought to a model's size. */
export type Resize = 'bilinear' | 'area';

/** What a model is fed with: uint8 `[N, channels, height, width]`. */
export interface InputSpec {
  /** Channel roles in the order of the model's input. */
  readonly channels: readonly string[];
  readonly widthPx: number;
  readonly heightPx: number;
  readonly resize: Resize;
}

export type QualityFlag = 'plane_empty' | 'saturated' | 'dim';

/** How one frame is to be prepared. */
export interface PrepareWish {
  /** @default 'normal' */
  readonly priority?: Priority | undefined;
  /** Frames of one stream share a turn. @default '' */
  readonly streamId?: string | undefined;
  /**
   * On the clock of `performance.now()`: the earliest waits the least. It is the signal that ends
   * what is late. @default none
   */
  readonly deadlineAtMs?: number | undefined;
  /** @default 'refuse' */
  readonly whenFull?: WhenFull | undefined;
  /**
   * Whether raw pixels keep their size and type, because the model's graph takes them so; they
   * are only checked, measured and laid out. @default false
   */
  readonly staysRaw?: boolean | undefined;
}

/** A frame brought to a model's input spec. */
export interface PreparedFrame {
  /**
   * uint8 `[C, H, W]` in the order of the spec; owned by the receiver. Of a frame that stays
   * raw, the bytes of its own pixels, of its own size.
   */
  readonly pixels: Uint8Array;
  readonly qualityFlags: readonly QualityFlag[];
}

/** Brings frames to an input spec, off the event loop. */
export interface Preparer {
  /**
   * Decodes and resizes one frame. May take ownership of the planes' bytes: the
   * caller must not read them afterwards (they may have been moved to another thread, and
   * then read as empty), nor prepare the same planes twice.
   *
   * Throws `frame_invalid` with every fault of the frame in one message,
   * `cancelled` or `deadline` by the signal's reason, `overloaded` where too many frames
   * wait already, `draining` after `close`.
   */
  prepare(
    frame: Frame,
    spec: InputSpec,
    signal?: AbortSignal,
    wish?: PrepareWish,
  ): Promise<PreparedFrame>;
  close(): Promise<void>;
}
