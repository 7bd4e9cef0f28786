/** How weights follow gradients: on flat arrays that hold all of them, one after another. */
export { ADAMW, type AdamWMove, type AdamWSettings, adamwStep } from './adamw.js';
export { averagingDecay } from './averaging.js';
export { clippingFactor, globalNorm } from './clipping.js';
export { learningRate, type Schedule } from './schedule.js';
