/** Rooms: synthetic impulse responses, and what speech sounds like in them. */
import { UsageError } from '../../tensor/index.js';
import { convolve } from './convolve.js';
import { fromDecibels, meanPower, scaled } from './level.js';
import { integer, type Random, type Range, uniform } from './random.js';

export interface Room {
  /** Seconds in which the sound of the room falls by 60 dB. */
  readonly decaySeconds: number;
  /** Power of the direct sound over that of all the rest. */
  readonly directDecibels: number;
  /** Seconds from the direct sound to the first reflection. */
  readonly firstReflectionSeconds: number;
  /** By which part the decay time is shorter above 1 kHz, 0 to less than 1. */
  readonly damping: number;
}

/** A small or middle-sized room, anywhere from beside the microphone to its other end. */
export function drawRoom(random: Random): Room {
  return {
    decaySeconds: 2 ** uniform(random, [Math.log2(0.1), Math.log2(0.7)]),
    directDecibels: uniform(random, [-3, 15]),
    firstReflectionSeconds: uniform(random, [0.001, 0.012]),
    damping: uniform(random, [0.1, 0.6]),
  };
}

/** Early reflections come in this time, and there are so many of them. */
const EARLY_SECONDS = 0.05;
const EARLY_REFLECTIONS: Range = [4, 10];
/** The response ends where it has fallen by this. */
const RESPONSE_DECIBELS = 40;
/** Frequency from which damping acts. */
const DAMPED_HERTZ = 1000;
/** Amplitude falls by 60 dB over one decay time: e^-6.91. */
const DECAY = Math.log(1000);

/**
 * The impulse response of a room: the direct sound at sample 0, some early reflections, and noise that decays
 * exponentially (J.-D. Polack 1988), its high frequencies faster.
 */
export function roomResponse(room: Room, sampleRate: number, random: Random): Float32Array<ArrayBuffer> {
  const { decaySeconds, directDecibels, firstReflectionSeconds, damping } = room;
  if (
    !(decaySeconds > 0 && decaySeconds <= 10 && damping >= 0 && damping < 1 && firstReflectionSeconds >= 0)
  ) {
    throw new UsageError(`roomResponse: ${JSON.stringify(room)} is no room`);
  }
  const first = Math.max(1, Math.round(firstReflectionSeconds * sampleRate));
  const length = first + Math.ceil(((decaySeconds * RESPONSE_DECIBELS) / 60) * sampleRate);
  const response = new Float32Array(length);
  const perSample = DECAY / (decaySeconds * sampleRate);
  const [slopeLow, slopeHigh] = [Math.exp(-perSample), Math.exp(-perSample / (1 - damping))];
  const opening = 1 - Math.exp((-2 * Math.PI * DAMPED_HERTZ) / sampleRate);
  let [envelopeLow, envelopeHigh, low] = [1, 1, 0];
  for (let n = first; n < length; n++) {
    const white = 2 * random() - 1;
    low += opening * (white - low);
    response[n] = envelopeLow * low + envelopeHigh * (white - low);
    envelopeLow *= slopeLow;
    envelopeHigh *= slopeHigh;
  }
  const early = Math.max(1, Math.min(length - first, Math.round(EARLY_SECONDS * sampleRate)));
  const reflections = integer(random, EARLY_REFLECTIONS);
  for (let i = 0; i < reflections; i++) {
    const at = first + Math.floor(random() * early);
    response[at]! += 3 * (random() < 0.5 ? -1 : 1) * Math.exp(-perSample * (at - first));
  }
  const rest = meanPower(response) * length;
  const out = rest === 0 ? response : scaled(response, 1 / (fromDecibels(directDecibels) * Math.sqrt(rest)));
  out[0] = 1;
  return out;
}

/** Samples in a room, at the same mean power and of the same length; the direct sound keeps its place. */
export function reverberate(samples: Float32Array, response: Float32Array): Float32Array<ArrayBuffer> {
  const wet = convolve(samples, response);
  const [before, after] = [meanPower(samples), meanPower(wet)];
  return after === 0 ? wet : scaled(wet, Math.sqrt(before / after));
}
