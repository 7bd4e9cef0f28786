/** What a user of the published package writes, compiled against its types alone. */
import {
  AcomError,
  type DecodeOptions,
  type DeviceEncoder,
  loadCodecModel,
  readWav,
  type Transcript,
} from 'acom';
import { readStream, truncateCodebooks } from 'acom/bitstream';
import { loadCodecModel as loadInBrowser } from 'acom/browser';
import { kernelSpecs } from 'acom/kernels';
import { ResidualQuantizer } from 'acom/quantizer';
import { type Tensor, zeros } from 'acom/tensor';

export async function roundTrip(wav: Uint8Array): Promise<Transcript> {
  const model = await loadCodecModel('commands.safetensors');
  const device = await model.deviceEncoder();
  const { samples, sampleRate } = readWav(wav);
  const bytes: Uint8Array = device.encode(samples, sampleRate, { codebooks: 2, packetSeconds: 1 });
  const less = truncateCodebooks(bytes, 1);
  const cloud = await model.cloudDecoder();
  const options: DecodeOptions = { beam: 8 };
  try {
    return cloud.decode(less, options);
  } catch (error) {
    if (error instanceof AcomError) console.error(error.code, error.message);
    throw error;
  }
}

export const names: string[] = kernelSpecs.map((spec) => spec.name);
export const quantizer = (codebooks: Tensor) =>
  new ResidualQuantizer(codebooks).encode(zeros([1, 2])).get(0, 0);
export const packets = (bytes: Uint8Array): number => readStream(bytes).packets.length;
export const inBrowser: typeof loadCodecModel = loadInBrowser;

export function mistakes(device: DeviceEncoder): void {
  // @ts-expect-error samples are a Float32Array, not numbers
  device.encode([0, 1], 8000);
  // @ts-expect-error the sample rate is not optional
  device.encode(new Float32Array(1));
  // @ts-expect-error there is no such option
  device.encode(new Float32Array(1), 8000, { codebook: 3 });
}
