/** Convolution and filtering by the fast Fourier transform of the project. */
import type { FourierPlan } from '../../../kernels/fourier/reference.js';
import { fourierVariants } from '../../../kernels/fourier/variants.js';
import { kernelOf } from '../../ops/dispatch.js';

/** A transform of one length with room for its frames; not reentrant. */
export interface Transform {
  readonly plan: FourierPlan;
  readonly frame: Float64Array;
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

const transforms = new Map<number, Transform>();

/** The transform of `size` numbers; made once. */
export function transformOf(size: number): Transform {
  let found = transforms.get(size);
  if (found === undefined) {
    const plan = kernelOf(fourierVariants)(size);
    const bins = plan.bins;
    found = {
      plan,
      frame: new Float64Array(size),
      real: new Float64Array(bins),
      imaginary: new Float64Array(bins),
    };
    transforms.set(size, found);
  }
  return found;
}

/** Transforms `frame` into `real` and `imaginary`. */
export function forward({ plan, frame, real, imaginary }: Transform): void {
  plan.transform(frame, 0, real, imaginary);
}

/**
 * The inverse of `forward` for an even size, by a forward transform: of X = R + iI, with R even and I odd,
 * x[n] = 1/N Σ R cos(2πfn/N) - I sin(2πfn/N), and that is the sum of both parts of the transform of R + I (Hartley).
 */
export function inverse({ plan, frame, real, imaginary }: Transform): void {
  const { size } = plan;
  const half = size / 2;
  frame[0] = real[0]!;
  frame[half] = real[half]!;
  for (let f = 1; f < half; f++) {
    frame[f] = real[f]! + imaginary[f]!;
    frame[size - f] = real[f]! - imaginary[f]!;
  }
  plan.transform(frame, 0, real, imaginary);
  frame[0] = real[0]! / size;
  frame[half] = real[half]! / size;
  for (let n = 1; n < half; n++) {
    frame[n] = (real[n]! + imaginary[n]!) / size;
    frame[size - n] = (real[n]! - imaginary[n]!) / size;
  }
}

/** Least size that a transform for convolution has. */
const LEAST_SIZE = 64;

/**
 * The first samples.length samples of the convolution with a response: block by block (overlap-add), so that the cost of
 * a sample grows with the logarithm of the response's length.
 */
export function convolve(samples: Float32Array, response: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples.length);
  if (samples.length === 0 || response.length === 0) return out;
  let size = LEAST_SIZE;
  while (size < 2 * response.length) size *= 2;
  // One block, where all fits; else blocks as long as the response or longer.
  const whole = samples.length + response.length - 1;
  if (size < whole && whole <= 2 * size) size *= 2;
  const transform = transformOf(size);
  const { frame, real, imaginary } = transform;
  frame.fill(0);
  frame.set(response);
  forward(transform);
  const [responseReal, responseImaginary] = [real.slice(), imaginary.slice()];
  const block = size - response.length + 1;
  for (let from = 0; from < samples.length; from += block) {
    const part = samples.subarray(from, from + block);
    frame.fill(0, part.length);
    frame.set(part);
    forward(transform);
    for (let f = 0; f < real.length; f++) {
      const [a, b, c, d] = [real[f]!, imaginary[f]!, responseReal[f]!, responseImaginary[f]!];
      real[f] = a * c - b * d;
      imaginary[f] = a * d + b * c;
    }
    inverse(transform);
    const most = Math.min(part.length + response.length - 1, samples.length - from);
    for (let n = 0; n < most; n++) out[from + n]! += frame[n]!;
  }
  return out;
}
