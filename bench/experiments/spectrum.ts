/** How many directions vectors use: eigenvalues of their covariance, through the package ml-matrix. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

export interface Spectrum {
  /** Parts of the variance by direction, largest first; they add up to 1. */
  readonly shares: readonly number[];
  /** exp of the entropy of the shares (Roy and Vetterli 2007): as many equal directions would be as spread. */
  readonly effectiveRank: number;
  /** Directions that hold nine tenths of the variance. */
  readonly ninety: number;
}

/** Of rows of `width` numbers, one vector after another. */
export function spectrumOf(vectors: Float32Array, width: number): Spectrum {
  const rows = vectors.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < vectors.length; i++) mean[i % width]! += vectors[i]! / rows;
  const centred = Matrix.zeros(rows, width);
  for (let i = 0; i < vectors.length; i++) {
    centred.set(Math.floor(i / width), i % width, vectors[i]! - mean[i % width]!);
  }
  const covariance = centred.transpose().mmul(centred);
  const { realEigenvalues } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  const values = realEigenvalues.map((value) => Math.max(0, value)).sort((a, b) => b - a);
  const total = values.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return { shares: values.map(() => 0), effectiveRank: 0, ninety: 0 };
  const shares = values.map((value) => value / total);
  const nats = shares.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  let [held, ninety] = [0, 0];
  while (held < 0.9) held += shares[ninety++]!;
  return { shares, effectiveRank: Math.exp(nats), ninety };
}
