/**
 * A codec model from a network that was trained elsewhere: safetensors under SpeechBrain's names, with
 * `rvq.codebooks`, `rvq.counts` and the configuration as JSON in the metadata under `acom`.
 */
import { readSafetensors } from '../checkpoints/safetensors.js';
import type { TensorData } from '../checkpoints/safetensors-writer.js';
import { ModelError, type NdArray, type TypedArray } from '../tensor/index.js';
import type { CodecConfig } from './config.js';
import { entropyTables } from './entropy-tensors.js';
import { CODEBOOKS, FREQUENCIES, roleOf, writeModel } from './model-file.js';

export interface PackOptions {
  /** Licence of the weights, and what they were trained on: they go into the file. */
  readonly licence: string;
  readonly trainingData: readonly string[];
  /** Codebooks that an encoder uses where it is not told; default 1. */
  readonly defaultCodebooks?: number;
}

/** The configuration as the export writes it. */
interface ExportedConfig {
  readonly name: string;
  readonly task: 'recognition';
  readonly labels: readonly string[];
  readonly sample_rate: number;
  readonly front_end: {
    readonly n_fft: number;
    readonly win_length_ms: number;
    readonly hop_length_ms: number;
    readonly n_mels: number;
    readonly f_min: number;
    readonly f_max: number;
    readonly top_db: number;
  };
  readonly model: {
    readonly cnn_channels: readonly number[];
    readonly cnn_kernel: number;
    readonly cnn_stride: number;
    readonly d_model: number;
    readonly heads: number;
    readonly layers: number;
    readonly d_ffn: number;
    readonly kernel_size: number;
  };
  readonly split_layer: number;
  readonly rvq: { readonly codebooks: number; readonly codewords: number; readonly pooling: number };
}

/** `writeModel` checks every field of the result, so nothing of the export is believed unseen. */
function convertConfig(exported: ExportedConfig, options: PackOptions): CodecConfig {
  const { sample_rate: sampleRate, front_end: front, model, rvq } = exported;
  const perMillisecond = sampleRate / 1000;
  return {
    name: exported.name,
    task: exported.task,
    labels: exported.labels,
    frontEnd: {
      sampleRate,
      fftSize: front.n_fft,
      windowSamples: Math.round(front.win_length_ms * perMillisecond),
      hopSamples: Math.round(front.hop_length_ms * perMillisecond),
      mels: front.n_mels,
      minHertz: front.f_min,
      maxHertz: front.f_max,
      spectrum: 'power',
      compression: 'decibel',
      topDecibels: front.top_db,
    },
    network: {
      type: 'speechbrain-conformer-ctc',
      frontEnd: {
        mels: front.n_mels,
        channels: model.cnn_channels,
        kernelSizes: model.cnn_channels.map(() => model.cnn_kernel),
        strides: model.cnn_channels.map(() => model.cnn_stride),
      },
      encoder: {
        width: model.d_model,
        heads: model.heads,
        layers: model.layers,
        feedForward: model.d_ffn,
        depthwiseTaps: model.kernel_size,
      },
      classes: exported.labels.length,
      head: '2',
    },
    splitLayer: exported.split_layer,
    quantizer: {
      codebooks: rvq.codebooks,
      codewords: rvq.codewords,
      pooling: rvq.pooling,
      defaultCodebooks: options.defaultCodebooks ?? 1,
    },
    licence: options.licence,
    trainingData: options.trainingData,
  };
}

/** Entropy tables [codebooks, codewords + 1] from counts [codebooks, codewords]. */
function tablesFromCounts(counts: NdArray<TypedArray>): TensorData {
  const [stages, codewords] = counts.shape as [number, number];
  if (counts.shape.length !== 2 || !(counts.data instanceof Int32Array)) {
    throw new ModelError(`pack: rvq.counts must be int32 [codebooks, codewords]`);
  }
  const { data, offset } = counts;
  return entropyTables(
    Array.from({ length: stages }, (_, s) =>
      data.subarray(offset + s * codewords, offset + (s + 1) * codewords),
    ),
  );
}

/** Packs an exported network. `dropped` names tensors that the network does not need. */
export function packExportedNetwork(
  bytes: Uint8Array,
  options: PackOptions,
): { readonly model: Uint8Array; readonly dropped: readonly string[] } {
  const { metadata, tensors } = readSafetensors(bytes);
  const exported = metadata.get('acom');
  if (exported === undefined) {
    throw new ModelError('pack: the file has no configuration in its metadata under "acom"');
  }
  let config: CodecConfig;
  try {
    config = convertConfig(JSON.parse(exported) as ExportedConfig, options);
  } catch (cause) {
    throw new ModelError(
      `pack: the configuration under "acom" is not what an export writes: ${(cause as Error).message}`,
    );
  }
  const packed = new Map<string, TensorData>();
  const dropped: string[] = [];
  for (const [name, tensor] of tensors) {
    if (name === 'rvq.codebooks') packed.set(CODEBOOKS, tensor);
    else if (name === 'rvq.counts') packed.set(FREQUENCIES, tablesFromCounts(tensor));
    else if (roleOf(name, config) !== null) packed.set(name, tensor);
    else dropped.push(name);
  }
  return { model: writeModel(config, packed), dropped };
}
