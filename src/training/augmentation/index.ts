/** What is done to recordings and features so that training hears more than was recorded. Runs anywhere. */
export { augmentSpeech, type Chance, type SpeechAugmentation, STRONG } from './augment.js';
export {
  composeUtterance,
  type SpokenWord,
  trimmed,
  type Utterance,
  type UtteranceOptions,
} from './compose.js';
export { convolve } from './convolve.js';
export { clip, muLaw, quantize } from './distortion.js';
export { drawMasks, type Mask, type MaskOptions, maskFeatures, warpFeatures } from './features.js';
export {
  type Biquad,
  bandLimit,
  deviceColour,
  filter,
  highPass,
  lowPass,
  peak,
  responseAt,
  spectralTilt,
  telephoneBand,
} from './filters.js';
export { shiftFormants } from './formants.js';
export { activePart, activePower, gain, meanPower } from './level.js';
export { addNoise, cutNoise, pinkNoise, whiteNoise } from './noise.js';
export { beta, choose, integer, type Random, type Range, shuffled, uniform } from './random.js';
export { drawRoom, type Room, reverberate, roomResponse } from './reverb.js';
export { changeSpeed } from './speed.js';
export { changePitch, changeTempo } from './stretch.js';
export { mix, rotate, shift } from './timing.js';
