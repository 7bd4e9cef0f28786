/**
 * Band-limited change of sample rate: windowed-sinc interpolation as torchaudio's Resample computes it
 * (Hann window, lowpass_filter_width 6, rolloff 0.99), in float64 and as a stream.
 *
 * With rates reduced by their greatest common divisor to `from` : `to`, output sample q stands at input
 * position q · from / to, and is a sum over the input samples within WIDTH zero crossings of it.
 */
import { AudioError, concatenate } from '../tensor/index.js';

const WIDTH = 6;
const ROLLOFF = 0.99;

/** Rates that make sense for sound, and that bound what a header can make us allocate. */
export const LOWEST_SAMPLE_RATE = 1000;
export const HIGHEST_SAMPLE_RATE = 768000;

/** Checks a sample rate; `what` names it in the message. */
export function requireSampleRate(what: string, rate: number): void {
  if (Number.isInteger(rate) && rate >= LOWEST_SAMPLE_RATE && rate <= HIGHEST_SAMPLE_RATE) return;
  throw new AudioError(
    `${what} is ${rate} samples a second; whole numbers from ${LOWEST_SAMPLE_RATE} to ${HIGHEST_SAMPLE_RATE} ` +
      `are supported`,
  );
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/** Weights of one output phase, and the input sample (relative to the phase's period) that the first is for. */
interface Phase {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Resamples pieces of a recording; together they give the same samples as the whole at once. */
export interface ResamplerStream {
  /** Takes input samples and gives the output samples that are now complete. */
  push(samples: Float32Array): Float32Array;
  /** The last output samples, with silence assumed after the end. */
  finish(): Float32Array;
}

export function createResampler(sourceRate: number, targetRate: number): ResamplerStream {
  requireSampleRate('resample: the rate of the input', sourceRate);
  requireSampleRate('resample: the rate of the output', targetRate);
  if (sourceRate === targetRate) return { push: (samples) => samples, finish: () => new Float32Array(0) };
  const divisor = greatestCommonDivisor(sourceRate, targetRate);
  const from = sourceRate / divisor;
  const to = targetRate / divisor;
  /** Cut-off in cycles per `from` input samples, a little below the lower of the two Nyquist rates. */
  const cutoff = Math.min(from, to) * ROLLOFF;
  /** Input samples that an output sample sees on each side. */
  const reach = (WIDTH * from) / cutoff;

  const phases: (Phase | undefined)[] = new Array(Math.min(to, 1 << 16));
  const phaseAt = (index: number): Phase => {
    const known = phases[index];
    if (known) return known;
    const centre = (index * from) / to;
    const first = Math.ceil(centre - reach);
    const weights = new Float64Array(Math.floor(centre + reach) - first + 1);
    for (let i = 0; i < weights.length; i++) {
      const t = Math.max(-WIDTH, Math.min(WIDTH, ((first + i - centre) * cutoff) / from));
      const window = Math.cos((t * Math.PI) / WIDTH / 2) ** 2;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      weights[i] = (sinc * window * cutoff) / from;
    }
    const phase = { first, weights };
    if (index < phases.length) phases[index] = phase;
    return phase;
  };

  /** Input samples not yet done with; pending[0] is input sample `start`. */
  let pending = new Float32Array(0);
  let start = 0;
  let received = 0;
  let produced = 0;

  const produce = (until: number, available: number): Float32Array => {
    const end = Math.min(until, Math.ceil((available * to) / from));
    const out = new Float32Array(Math.max(0, end - produced));
    let made = 0;
    while (produced < end) {
      const period = Math.floor(produced / to) * from;
      const { first, weights } = phaseAt(produced % to);
      const begin = period + first;
      if (begin + weights.length > available) break;
      let sum = 0;
      for (let i = Math.max(0, start - begin); i < weights.length; i++) {
        const at = begin + i - start;
        if (at >= pending.length) break;
        sum += pending[at]! * weights[i]!;
      }
      out[made++] = sum;
      produced++;
    }
    return out.subarray(0, made);
  };

  return {
    push(samples) {
      pending = concatenate([pending, samples]);
      received += samples.length;
      const out = produce(Infinity, received);
      const needed = Math.floor((produced * from) / to - reach) - 1;
      const done = Math.min(pending.length, Math.max(0, needed - start));
      pending = pending.slice(done);
      start += done;
      return out;
    },
    finish: () => produce(Math.ceil((to * received) / from), Infinity),
  };
}

/** All of a recording at another rate: ceil(length · targetRate / sourceRate) samples. */
export function resample(samples: Float32Array, sourceRate: number, targetRate: number): Float32Array {
  const stream = createResampler(sourceRate, targetRate);
  return concatenate([stream.push(samples), stream.finish()]);
}
