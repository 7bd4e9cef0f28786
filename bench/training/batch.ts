/** What both sides train on: the shipped network's weights and batches of made-up features, in one safetensors file. */
import { readFileSync } from 'node:fs';
import { readSafetensors, type TensorData, writeSafetensors } from '../../src/checkpoints/index.js';
import type { ConformerCtcConfig } from '../../src/nn/index.js';
import { createNormal, createRandom, type Tensor } from '../../src/tensor/index.js';
import { trainableConformer } from '../../src/training/networks/conformer.js';
import type { TrainableNetwork } from '../../src/training/networks/network.js';
import { modelPath } from '../shipped.js';

/** Feature frames a second. */
const FRAME_RATE = 100;
const UTTERANCES = 16;
/** A word for every so many seconds, as in spoken commands. */
const SECONDS_A_WORD = 0.5;
const SPLIT_LAYER = 3;

/** Seconds of each utterance, by the batch's name. */
const BATCHES: Readonly<Record<string, readonly number[]>> = {
  equal: Array.from({ length: UTTERANCES }, () => 2),
  mixed: Array.from({ length: UTTERANCES }, (_, u) => 1 + (2 * ((7 * u) % UTTERANCES)) / (UTTERANCES - 1)),
};

export const batchNames = Object.keys(BATCHES);

export const describeBatch = (name: string): string => {
  const seconds = BATCHES[name]!;
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
  return `${seconds.length} utterances of ${least === most ? least : `${least} to ${most}`} s`;
};

/** Whether PyTorch has to pad the batch. */
export const isPadded = (name: string): boolean => new Set(BATCHES[name]).size > 1;

/** Seconds of a batch's recordings, all together. */
export const batchSeconds = (name: string): number => BATCHES[name]!.reduce((sum, s) => sum + s, 0);

/** The file's bytes. */
export function trainingFile(): Uint8Array {
  const { tensors, metadata } = readSafetensors(readFileSync(modelPath));
  const { network } = JSON.parse(metadata.get('config')!) as { network: ConformerCtcConfig };
  const wanted = trainableConformer(network, SPLIT_LAYER, { dropout: 0 }).parameters;
  const random = createRandom(17);
  const normal = createNormal(random);
  const file = new Map<string, TensorData>(
    [...wanted.keys()].map((name) => [name, tensors.get(name)! as TensorData]),
  );
  for (const [name, seconds] of Object.entries(BATCHES)) {
    const lengths = seconds.map((s) => Math.round(FRAME_RATE * s));
    const frames = lengths.reduce((sum, n) => sum + n, 0);
    const words = seconds.map((s) => Math.floor(s / SECONDS_A_WORD));
    const labels = words.flatMap((count) =>
      Array.from({ length: count }, () => 1 + Math.floor((network.classes - 1) * random())),
    );
    const features = Float32Array.from({ length: frames * network.frontEnd.mels }, normal);
    file.set(`${name}.features`, { data: features, shape: [frames, network.frontEnd.mels] });
    file.set(`${name}.lengths`, { data: Int32Array.from(lengths), shape: [lengths.length] });
    file.set(`${name}.targets`, { data: Int32Array.from(labels), shape: [labels.length] });
    file.set(`${name}.targetLengths`, { data: Int32Array.from(words), shape: [words.length] });
  }
  return writeSafetensors(file, { network: JSON.stringify(network), batches: batchNames.join(' ') });
}

export interface Utterance {
  readonly features: Float32Array;
  readonly frames: number;
  readonly labels: readonly number[];
}

export interface TrainingFile {
  readonly network: TrainableNetwork;
  readonly mels: number;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly batches: ReadonlyMap<string, readonly Utterance[]>;
}

/** What `trainingFile` wrote, read again. */
export function openTrainingFile(path: string): TrainingFile {
  const { tensors, metadata } = readSafetensors(readFileSync(path));
  const config = JSON.parse(metadata.get('network')!) as ConformerCtcConfig;
  const network = trainableConformer(config, SPLIT_LAYER, { dropout: 0 });
  const { mels } = config.frontEnd;
  const integers = (name: string) => [...tensors.get(name)!.data].map(Number);
  const batches = batchNames.map((name) => {
    const features = tensors.get(`${name}.features`)!.data as Float32Array;
    const [labels, words] = [integers(`${name}.targets`), integers(`${name}.targetLengths`)];
    let [frame, word] = [0, 0];
    const utterances = integers(`${name}.lengths`).map((frames, u): Utterance => {
      const utterance = {
        features: features.slice(frame * mels, (frame + frames) * mels),
        frames,
        labels: labels.slice(word, word + words[u]!),
      };
      frame += frames;
      word += words[u]!;
      return utterance;
    });
    return [name, utterances] as const;
  });
  return { network, mels, weights: tensors as ReadonlyMap<string, Tensor>, batches: new Map(batches) };
}
