import { ClipTiming } from './clip-timing.js';
import type { NetworkModelConfig } from './config.js';
import { FrameTiming } from './frame-timing.js';
import type { Timing } from './timing.js';

/** How a model counts, which depends on what it does. */
export const timingOf = (config: NetworkModelConfig): Timing =>
  config.task === 'recognition' ? new FrameTiming(config) : new ClipTiming(config);
