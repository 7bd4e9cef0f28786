/** How what was computed is compared with a fixture, and how a fixture's configuration is read. */
import type { PaddingMask } from '../../src/ops/index.js';
import { flat, type NdArray, type Tensor, type TypedArray, view } from '../../src/tensor/index.js';
import { type Fixture, tensorOf } from './fixture.js';

/** One comparison: the error and what it may be. */
export interface Comparison {
  readonly what: string;
  readonly error: number;
  readonly tolerance: number;
}

/** The oracle's metrics: max|a - b| / max|b|, or max|a - b| in the unit of the values. */
type Metric = 'relative' | 'absolute';

export const RELATIVE = 1e-4;

type Values = ArrayLike<number>;

function difference(got: Values, expected: Values, metric: Metric): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let error = 0;
  let largest = 0;
  for (let i = 0; i < got.length; i++) {
    const gap = Math.abs(got[i]! - expected[i]!);
    if (!(gap <= error)) error = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return metric === 'absolute' || largest === 0 ? error : error / largest;
}

/** Collects the comparisons of one fixture. */
export class Report {
  readonly comparisons: Comparison[] = [];

  constructor(private readonly fixture: Fixture) {}

  /** Compares with `out.NAME`, and with `out64.NAME` where there is one. */
  output(name: string, got: NdArray<TypedArray>, tolerance = RELATIVE, metric: Metric = 'relative'): void {
    this.compare('out', name, got, tolerance, metric);
  }

  /** Compares with `grad.NAME`, and with `grad64.NAME` where there is one. */
  gradient(name: string, got: NdArray<TypedArray>, tolerance = RELATIVE, metric: Metric = 'relative'): void {
    this.compare('grad', name, got, tolerance, metric);
  }

  private compare(
    part: 'out' | 'grad',
    name: string,
    got: NdArray<TypedArray>,
    tolerance: number,
    metric: Metric,
  ): void {
    const values = got.data instanceof Float32Array ? flat(got as Tensor) : (got.data as Values);
    for (const precision of [part, `${part}64`]) {
      const expected = this.fixture.tensors.get(`${precision}.${name}`);
      if (!expected && precision !== part) continue;
      const golden = tensorOf(this.fixture, `${precision}.${name}`).data as Values;
      const error = difference(values, golden, metric);
      this.comparisons.push({ what: `${precision}.${name}`, error, tolerance });
    }
  }

  /** Something that must be equal. */
  equal(what: string, got: unknown, expected: unknown): void {
    const same = JSON.stringify(got) === JSON.stringify(expected);
    this.comparisons.push({ what, error: same ? 0 : Number.POSITIVE_INFINITY, tolerance: 0 });
  }
}

export const number = (config: Fixture['config'], key: string): number => {
  const value = config[key];
  if (typeof value !== 'number') throw new Error(`the configuration has no number ${key}`);
  return value;
};

export const numbers = (config: Fixture['config'], key: string): number[] => config[key] as number[];

/** A mask of one byte a frame, whatever trailing axes of 1 it is stored with. */
export const maskOf = (fixture: Fixture, name: string): PaddingMask | undefined => {
  const stored = fixture.tensors.get(`in.${name}`);
  if (!stored) return undefined;
  return view(stored.data as Uint8Array, stored.shape.slice(0, 2));
};
