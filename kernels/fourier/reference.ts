import FFT from 'fft.js';

/**
 * The discrete Fourier transform of real frames of one length:
 *
 *   X[f] = Σ_n x[n] exp(-2πi f n / size),  f = 0 .. floor(size / 2)
 *
 * A plan holds the tables and scratch of its size, so a transform allocates nothing; it is not reentrant.
 */
export interface FourierPlan {
  readonly size: number;
  /** floor(size / 2) + 1 */
  readonly bins: number;
  /** Transforms `size` numbers from x[xOffset] into `bins` real and imaginary parts. */
  transform(x: Float64Array, xOffset: number, real: Float64Array, imaginary: Float64Array): void;
}

export type CreateFourierPlan = (size: number) => FourierPlan;

const isPowerOfTwo = (n: number) => (n & (n - 1)) === 0;

/** fft.js takes powers of two only and fills just the left half of the spectrum: all that is needed here. */
function radixPlan(size: number): FourierPlan {
  const fft = new FFT(size);
  const bins = size / 2 + 1;
  const input = new Float64Array(size);
  const spectrum = new Float64Array(2 * size);
  return {
    size,
    bins,
    transform(x, xOffset, real, imaginary) {
      for (let n = 0; n < size; n++) input[n] = x[xOffset + n];
      fft.realTransform(spectrum, input);
      for (let f = 0; f < bins; f++) {
        real[f] = spectrum[2 * f];
        imaginary[f] = spectrum[2 * f + 1];
      }
    },
  };
}

/**
 * Any other length by Bluestein's chirp-z algorithm. With n f = (n² + f² - (f - n)²) / 2 the sum becomes a
 * convolution with the chirp c[k] = exp(πi k² / size):
 *
 *   X[f] = conj(c[f]) Σ_n (x[n] conj(c[n])) c[f - n]
 *
 * computed circularly at a power of two of at least 2 size - 1. Squares are reduced modulo 2 size before the
 * angle is taken, so long frames lose no digits.
 */
function chirpPlan(size: number): FourierPlan {
  let padded = 4;
  while (padded < 2 * size - 1) padded *= 2;
  const fft = new FFT(padded);
  const bins = Math.floor(size / 2) + 1;
  const chirpReal = new Float64Array(size);
  const chirpImaginary = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const angle = (Math.PI * ((k * k) % (2 * size))) / size;
    chirpReal[k] = Math.cos(angle);
    chirpImaginary[k] = Math.sin(angle);
  }
  const work = new Float64Array(2 * padded);
  const spectrum = new Float64Array(2 * padded);
  const filter = new Float64Array(2 * padded);
  for (let k = 0; k < size; k++) {
    for (const at of k === 0 ? [0] : [k, padded - k]) {
      work[2 * at] = chirpReal[k];
      work[2 * at + 1] = chirpImaginary[k];
    }
  }
  fft.transform(filter, work);

  return {
    size,
    bins,
    transform(x, xOffset, real, imaginary) {
      work.fill(0);
      for (let n = 0; n < size; n++) {
        work[2 * n] = x[xOffset + n] * chirpReal[n];
        work[2 * n + 1] = -x[xOffset + n] * chirpImaginary[n];
      }
      fft.transform(spectrum, work);
      for (let i = 0; i < 2 * padded; i += 2) {
        const re = spectrum[i] * filter[i] - spectrum[i + 1] * filter[i + 1];
        const im = spectrum[i] * filter[i + 1] + spectrum[i + 1] * filter[i];
        spectrum[i] = re;
        spectrum[i + 1] = im;
      }
      fft.inverseTransform(work, spectrum);
      for (let f = 0; f < bins; f++) {
        real[f] = work[2 * f] * chirpReal[f] + work[2 * f + 1] * chirpImaginary[f];
        imaginary[f] = work[2 * f + 1] * chirpReal[f] - work[2 * f] * chirpImaginary[f];
      }
    },
  };
}

/** A plan for frames of `size` >= 1 numbers. About 2.5 size log2 size operations where size is 2^n. */
export const createFourierPlan: CreateFourierPlan = (size) =>
  size >= 4 && isPowerOfTwo(size) ? radixPlan(size) : chirpPlan(size);
