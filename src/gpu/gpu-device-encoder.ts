/** The device half with its layers and its quantiser on a GPU: features are uploaded, indices come back. */

import type { CodecConfig } from '../codec/config.js';
import { codebooksOf, type EncodeOptions, writeSettingsOf } from '../codec/device-encoder.js';
import type { DeviceNetwork } from '../codec/step-stream.js';
import type { StreamCoder } from '../codec/stream-coder.js';
import type { Window } from '../codec/windows.js';
import { interleaveGroups } from '../quantizer/grouped-quantizer.js';
import { type NdArray, type Tensor, view } from '../tensor/index.js';
import type { GpuFunction } from './gpu-function.js';

/** Encodes one recording from pieces. */
export interface GpuEncoderStream {
  /** Takes samples at the rate that the stream was made for; the GPU works meanwhile. */
  push(samples: Float32Array): void;
  /** Ends the recording and gives its .acom bytes. Rejects with GpuError where the device was lost. */
  finish(): Promise<Uint8Array>;
}

export class GpuDeviceEncoder {
  readonly config: CodecConfig;
  /** Networks by how many codebooks they use. */
  private readonly networks = new Map<number, GpuFunction>();

  constructor(
    readonly coder: StreamCoder,
    private readonly features: DeviceNetwork,
    private readonly network: (stages: number) => GpuFunction,
  ) {
    this.config = coder.config;
  }

  /** As DeviceEncoder.encode. */
  async encode(samples: Float32Array, sampleRate: number, options: EncodeOptions = {}): Promise<Uint8Array> {
    const stream = this.stream(sampleRate, options);
    stream.push(samples);
    return stream.finish();
  }

  /** As DeviceEncoder.stream, but that the end is waited for. */
  stream(sampleRate: number, options: EncodeOptions = {}): GpuEncoderStream {
    const settings = writeSettingsOf(this.coder, options);
    const { push, finish } = this.indexStream(sampleRate, settings.codebooks);
    return {
      push,
      finish: async () => {
        const { indices, samples } = await finish();
        return this.coder.write(indices, samples, settings);
      },
    };
  }

  /** As DeviceEncoder.quantize. */
  async quantize(
    samples: Float32Array,
    sampleRate: number,
    options: EncodeOptions = {},
  ): Promise<NdArray<Int32Array>> {
    const codebooks = codebooksOf(this.config, options);
    const { push, finish } = this.indexStream(sampleRate, codebooks);
    push(samples);
    const { indices } = await finish();
    const columns = codebooks * this.coder.groups;
    return view(Int32Array.from(indices), [indices.length / columns, columns]);
  }

  private indexStream(sampleRate: number, codebooks: number) {
    const windows: Promise<Int32Array>[] = [];
    const steps = this.features(sampleRate, (features, window) => {
      const indices = this.indicesOf(features, window, codebooks);
      // It is waited for at the end; until then a failure is no unhandled one.
      indices.catch(() => undefined);
      windows.push(indices);
    });
    return {
      push: (samples: Float32Array) => steps.push(samples),
      finish: async () => {
        steps.finish();
        const indices = (await Promise.all(windows)).flatMap((part) => [...part]);
        return { indices, samples: steps.samples };
      },
    };
  }

  /** Indices of the vectors that a window keeps, vector after vector. */
  private async indicesOf(features: Tensor, { start, from, to }: Window, codebooks: number) {
    let network = this.networks.get(codebooks);
    if (!network) {
      network = this.network(codebooks);
      this.networks.set(codebooks, network);
    }
    const parts = (await network.run(features)).map(({ data, shape }) => view(Int32Array.from(data), shape));
    const columns = codebooks * this.coder.groups;
    const { data } = interleaveGroups(parts, codebooks);
    return data.subarray((from - start) * columns, (to - start) * columns);
  }
}
