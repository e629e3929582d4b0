import type { InputSpec } from './frame.js';
import type { SizePx } from './pixels.js';
import { planArea } from './resize-area.js';
import { planBilinear } from './resize-bilinear.js';
import type { ResizePlan } from './resize-plan.js';

/** How planes of a size are brought to a model's. */
export function planResize(from: SizePx, spec: InputSpec): ResizePlan {
  return spec.resize === 'area' ? planArea(from, spec) : planBilinear(from, spec);
}
