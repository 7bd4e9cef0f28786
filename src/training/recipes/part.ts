/** One network of a recipe, from data to a codec model and its scores: the only one, or that of a fold. */
import { join } from 'node:path';
import type { CodecConfig } from '../../codec/index.js';
import type { TrainResult } from '../run/index.js';
import type { CodingOptions } from './coding.js';
import type { StoredStatistics } from './features.js';
import { modelBytes, type TestSet } from './finish.js';
import { type Phases, trainPhases } from './phases.js';
import type { RecipeOptions } from './recipe.js';

export interface CodecPart<O extends { readonly coding: CodingOptions | null }> {
  /** For people. */
  readonly name: string;
  /** Below the folder of the run; empty for that folder itself. */
  readonly folder: string;
  readonly phases: Phases<O>;
  readonly statistics: StoredStatistics;
  /** Numbers of a step that goes over a cut after `splitLayer` layers. */
  readonly stepWidth: (splitLayer: number) => number;
  /** Of its codec model. */
  readonly config: (coding: CodingOptions) => CodecConfig;
  /** Recordings of training, from which it is learned how codewords are coded. */
  readonly counted: () => Iterable<Float32Array>;
  /** What choices are made on. */
  readonly validation: TestSet;
  /** What nothing is chosen on, each with what it is. */
  readonly tests: readonly { readonly about: string; readonly set: TestSet }[];
}

function* firstOf<T>(items: Iterable<T>, most: number): Generator<T> {
  let n = 0;
  for (const item of items) {
    if (n++ >= most) return;
    yield item;
  }
}

/** The codec model's file of what was trained; what codewords cost is learned from at most `most` recordings. */
export const modelOf = <O extends { readonly coding: CodingOptions | null }>(
  { config, statistics, counted }: CodecPart<O>,
  coding: CodingOptions,
  trained: Pick<TrainResult, 'parameters' | 'buffers'>,
  most = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> => modelBytes(config(coding), trained, statistics, firstOf(counted(), most));

/** Both phases, and the model; null where the run was ended before. */
export async function trainPart<O extends { readonly coding: CodingOptions | null }>(
  part: CodecPart<O>,
  options: RecipeOptions,
): Promise<Uint8Array | null> {
  const { coded } = await trainPhases(part.phases, options, join(options.out, part.folder));
  if (coded === null || coded.aborted) return null;
  return modelOf(part, part.phases.coding, coded);
}
