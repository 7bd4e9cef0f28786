/**
 * Codebooks in 16-bit integers, and how far their scores can be from the truth.
 *
 * The nearest codeword of r is that of the lowest score
 *
 *   score_v = |c_v|²/2 - r·c_v = (|r - c_v|² - |r|²) / 2,
 *
 * with r and c_v measured from a centre m, the mean of the codebook, so that a common offset costs no bits. Let
 * R = |r|, L = max |c_v|, N = 32000. Scaled to length N and rounded, r and c_v fit 16 bits and their products 32:
 *
 *   r' = round(r N/R) = r N/R + δ,   |δ| <= 0.502 √D   (the product in float32 is rounded too: 2⁻²⁴ N = 0.002)
 *   c' = round(c N/L) = c N/L + γ,   |γ| <= ε          (the largest, measured when the codebook is packed)
 *
 * r'·c' is an exact integer, because no partial sum exceeds |r'| |c'| < 2³¹ (Cauchy-Schwarz). So
 *
 *   |(RL/N²) r'·c' - r·c| <= RL (ε/N + 0.502 √D (1 + ε/N) / N) <= RL (ε + 0.51 √D) / N.
 *
 * The rest is float32: r'·c' converted, RL/N² rounded, their product, |c|²/2 and the difference err by less than
 * 2⁻²¹ RL + 2⁻²² L². A brute force in float64 has errors of its own, below D 2⁻⁵² (R + L)². Together
 *
 *   E = R L ((ε + 0.51 √D) / N + 2⁻²⁰) + 2⁻²⁰ L² + D 2⁻⁵⁰ (R² + L²),
 *
 * and the codeword that the brute force finds has a computed score of at most 2 E above the lowest one. All others
 * are out; most often one is left. Where R or L is beyond 2^±60, infinite or NaN, E is NaN and all are left.
 */

/** Codewords that are scored together. */
export const PANEL = 8;
/** Bytes of two features of 8 codewords. */
export const STEP_BYTES = 4 * PANEL;
/** Scores are read 16 at a time, so there are whole pairs of panels. */
export const panelsOf = (codewords: number): number => 2 * Math.ceil(codewords / (2 * PANEL));

/** Length of the scaled vectors. */
export const LENGTH = 32000;
/** R and L outside are left to float64. */
export const LEAST_LENGTH = 2 ** -60;
export const MOST_LENGTH = 2 ** 60;

/** Features in whole vectors of 8 16-bit integers. */
export const padded = (width: number): number => Math.ceil(width / 8) * 8;

/**
 * What is known of a frame in one stage, in bytes:
 *
 *   factor  float32  RL/N²: from r'·c' to r·c
 *   margin  float32  2 E
 *   square  float32  R²
 *   compared int32   codewords whose distance was computed
 *   drift   float64  how far the leading coordinates are from those of r
 *   length  float64  R
 */
export const STATE = {
  factor: 0,
  margin: 4,
  square: 8,
  compared: 12,
  drift: 16,
  length: 24,
  bytes: 32,
} as const;

/**
 * What is known of a codebook, float64 each: L; E = constant + R (linear + R · square); |m|. In bytes.
 */
export const HEADER = { longest: 0, constant: 8, linear: 16, square: 24, centre: 32, bytes: 64 } as const;

/** Gives out parts of a block of memory, each from a cache line on. */
export class Parts {
  bytes = 0;

  take(bytes: number): number {
    const at = this.bytes;
    this.bytes += Math.ceil(bytes / 64) * 64;
    return at;
  }
}

/** Vectors as integers, in bytes from the start of the block: their header, and panels [P][steps][8][2]. */
export interface ScorePanels {
  readonly header: number;
  readonly panels: number;
  readonly steps: number;
}

export const scorePanels = (parts: Parts, codewords: number, features: number): ScorePanels => {
  const steps = Math.ceil(features / 2);
  return {
    header: parts.take(HEADER.bytes),
    panels: parts.take(STEP_BYTES * steps * panelsOf(codewords)),
    steps,
  };
};

/**
 * Scales and rounds vectors [codewords, features] into panels. `extra` is added to E as so many times R² + L², for
 * what else the caller's scores may err by.
 */
export function packPanels(
  buffer: ArrayBufferLike,
  block: number,
  at: ScorePanels,
  codewords: number,
  vectors: Float64Array,
  extra: number,
): void {
  const features = vectors.length / codewords;
  let longest = 0;
  for (let v = 0; v < codewords; v++) {
    let square = 0;
    for (let d = v * features; d < (v + 1) * features; d++) square += vectors[d]! ** 2;
    longest = Math.max(longest, Math.sqrt(square));
  }
  const usable = (longest >= LEAST_LENGTH && longest <= MOST_LENGTH) || longest === 0;
  const scale = usable && longest > 0 ? LENGTH / longest : 0;

  const panels = new Int16Array(buffer, block + at.panels, 2 * PANEL * at.steps * panelsOf(codewords)).fill(
    0,
  );
  let largestError = 0;
  for (let v = 0, from = 0; v < codewords; v++) {
    const panel = (v - (v % PANEL)) * 2 * at.steps + 2 * (v % PANEL);
    let error = 0;
    for (let d = 0; d < features; d++) {
      const scaled = vectors[from++]! * scale;
      const rounded = Math.round(scaled);
      panels[panel + (d >> 1) * 2 * PANEL + (d & 1)] = rounded;
      error += (scaled - rounded) ** 2;
    }
    largestError = Math.max(largestError, Math.sqrt(error));
  }

  const square = features * 2 ** -50 + extra;
  const linear = longest * ((largestError + 0.51 * Math.sqrt(features)) / LENGTH + 2 ** -20);
  const header = new Float64Array(buffer, block + at.header, HEADER.bytes / 8);
  header[HEADER.longest / 8] = usable ? longest : NaN;
  header[HEADER.constant / 8] = longest ** 2 * (2 ** -20 + square);
  header[HEADER.linear / 8] = linear;
  header[HEADER.square / 8] = square;
}
