/** What a user of the published package writes, compiled against its types alone. */
import {
  AcomError,
  type Classification,
  type DecodeOptions,
  type DeviceEncoder,
  loadCloudClassifier,
  loadCodecModel,
  loadNetworkModel,
  readWav,
  type Transcript,
  type Verdict,
} from 'acom';
import { readStream } from 'acom/bitstream';
import { loadCodecModel as loadInBrowser } from 'acom/browser';
import { type Evaluation, openSubject, runRecording, summarize } from 'acom/evaluation';
import { loadCodecModel as loadGpuModel } from 'acom/gpu';
import { kernelSpecs } from 'acom/kernels';
import { importArmKeywords } from 'acom/published';
import { ResidualQuantizer } from 'acom/quantizer';
import { type Tensor, zeros } from 'acom/tensor';
import { type FitCodecOptions, fitCodec } from 'acom/training';

export async function roundTrip(wav: Uint8Array): Promise<Transcript> {
  const model = await loadCodecModel('commands.safetensors');
  const device = await model.deviceEncoder();
  const { samples, sampleRate } = readWav(wav);
  const bytes: Uint8Array = device.encode(samples, sampleRate, { codebooks: 2, packetSeconds: 1 });
  const less = device.coder.truncate(bytes, 1);
  const cloud = await model.cloudDecoder();
  const options: DecodeOptions = { beam: 8 };
  try {
    return cloud.decode(less, options);
  } catch (error) {
    if (error instanceof AcomError) console.error(error.code, error.message);
    throw error;
  }
}

/** A network of a published checkpoint, without codebooks and with some. */
export async function keywords(json: string, floats: Uint8Array, samples: Float32Array): Promise<Verdict[]> {
  const { model } = await importArmKeywords(json, floats);
  const uncut = await (await loadNetworkModel(model)).uncutClassifier();
  const options: FitCodecOptions = { splitLayer: 1, codebooks: 2, codewords: 16, vectors: 'position' };
  const fitter = await fitCodec(model, options);
  const stream = fitter.stream(16_000);
  stream.push(samples);
  stream.finish();
  const codec = fitter.finish();
  const device = await (await loadCodecModel(codec)).deviceEncoder();
  const cloud = await loadCloudClassifier(codec);
  const heard: Classification = cloud.classify(device.encode(samples, 16_000), { codebooks: 1 });
  return [uncut.classify(samples, 16_000), heard];
}

export async function evaluated(model: string, samples: Float32Array): Promise<Evaluation> {
  const subject = await openSubject(model);
  const recording = { sampleRate: 16_000, seconds: samples.length / 16_000, blocks: () => [samples] };
  return summarize([runRecording(subject, { path: 'in.wav', said: 'yes', beam: 0 }, recording)], subject);
}

export const names: string[] = kernelSpecs.map((spec) => spec.name);
export const quantizer = (codebooks: Tensor) =>
  new ResidualQuantizer(codebooks).encode(zeros([1, 2])).get(0, 0);
export const packets = (bytes: Uint8Array): number => readStream(bytes).packets.length;
export const inBrowser: typeof loadCodecModel = loadInBrowser;

export async function onGpu(model: Uint8Array, samples: Float32Array): Promise<string> {
  const gpu = await loadGpuModel(model, { backend: 'gpu', mode: 'webgpu' });
  const bytes = await (await gpu.deviceEncoder()).encode(samples, 8000);
  const { text } = await (await gpu.cloudDecoder()).decode(bytes);
  await gpu.dispose();
  return text;
}

export function mistakes(device: DeviceEncoder): void {
  // @ts-expect-error samples are a Float32Array, not numbers
  device.encode([0, 1], 8000);
  // @ts-expect-error the sample rate is not optional
  device.encode(new Float32Array(1));
  // @ts-expect-error there is no such option
  device.encode(new Float32Array(1), 8000, { codebook: 3 });
}
