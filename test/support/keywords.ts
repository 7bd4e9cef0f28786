/** ARM's keyword networks and the recordings they are tried on; both only in the shared folder. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Mfcc, readFlac } from '../../src/audio/index.js';
import { KeywordCnnPrefix, KeywordCnnSuffix, Parameters } from '../../src/nn/index.js';
import { type ArmKeywordNetwork, readArmKeywordNetwork } from '../../src/published/index.js';
import { reshape, type Tensor } from '../../src/tensor/index.js';
import { parseJsonLines } from '../../src/training/data/json-lines.js';
import { shared } from './shared.js';

export const ARM_FOLDER = 'weights/kws-arm-cnn';
export const KEYWORD_MANIFEST = 'data/kws-sc-16k/manifest.jsonl';
export const ARM_NETWORKS = ['CNN_L', 'CNN_S', 'DS_CNN_S'] as const;

/** Samples that the networks hear. */
const UTTERANCE = 16_000;

export interface ArmReference {
  readonly clip: string;
  readonly softmax: readonly number[];
  readonly mfcc_first_frame: readonly number[];
  readonly mfcc_last_frame: readonly number[];
}

/** A network, and what its makers' framework gave for one clip. */
export function loadArmNetwork(name: string): ArmKeywordNetwork & { readonly reference: ArmReference } {
  const json = readFileSync(shared(`${ARM_FOLDER}/${name}.json`), 'utf8');
  const network = readArmKeywordNetwork(json, readFileSync(shared(`${ARM_FOLDER}/${name}.bin`)));
  const { reference } = JSON.parse(json) as { readonly reference: ArmReference };
  return { ...network, reference };
}

/** A recording as TensorFlow's DecodeWav hands it over: cut at one second, or silence behind it. */
export async function readUtterance(file: string): Promise<Float32Array> {
  const { samples } = await readFlac(readFileSync(file));
  const utterance = new Float32Array(UTTERANCE);
  utterance.set(samples.subarray(0, UTTERANCE));
  return utterance;
}

/** Features [1, frames, coefficients] of an utterance. */
export function featuresOf(mfcc: Mfcc, utterance: Float32Array): Tensor {
  const frames = mfcc.frames(utterance);
  return reshape(frames, [1, ...frames.shape]);
}

/** Both halves of a network that is cut after `layer`. */
export function halvesOf({ config, tensors }: Pick<ArmKeywordNetwork, 'config' | 'tensors'>, layer: number) {
  const parameters = new Parameters(tensors);
  const prefix = new KeywordCnnPrefix(parameters, config, layer);
  const suffix = new KeywordCnnSuffix(parameters, config, layer);
  parameters.requireComplete('keyword network');
  return { prefix, suffix };
}

/** Index of the most probable class. */
export function classOf({ data, offset, size }: Tensor): number {
  let best = 0;
  for (let i = 1; i < size; i++) if (data[offset + i]! > data[offset + best]!) best = i;
  return best;
}

export interface Utterance {
  readonly file: string;
  readonly label: string;
}

export function keywordUtterances(): Utterance[] {
  const manifest = shared(KEYWORD_MANIFEST);
  return parseJsonLines(manifest, readFileSync(manifest, 'utf8')).map(({ path, label }) => ({
    file: join(dirname(manifest), String(path)),
    label: String(label),
  }));
}
