/** One utterance in the worker: sound in; packets, codes, a waveform and, where asked for, words out. */
import type { DeviceEncoder } from '../codec/device-encoder.js';
import type { LiveDecoder, LiveDecoding } from '../codec/live-decoder.js';
import { liveShape, type StreamingDeviceEncoder } from '../codec/streaming-encoder.js';
import { PEAKS_PER_VECTOR, type UtteranceEvent, type UtteranceSettings } from './messages.js';
import { Peaks } from './peaks.js';

const MILLISECONDS = 1000;

export class Utterance {
  private readonly live: StreamingDeviceEncoder;
  private readonly decoding: LiveDecoding | null;
  private readonly peaks: Peaks;
  private samples = 0;
  private busySeconds = 0;

  /** Throws what `DeviceEncoder.live` throws. `decoder` is null where somebody else decodes. */
  constructor(
    encoder: DeviceEncoder,
    decoder: LiveDecoder | null,
    private readonly sampleRate: number,
    { codebooks, packetVectors }: UtteranceSettings,
    private readonly tell: (event: UtteranceEvent) => void,
  ) {
    const rows = codebooks * encoder.coder.groups;
    this.live = encoder.live(sampleRate, {
      codebooks,
      packetVectors,
      onIndices: (indices) => tell({ kind: 'codes', indices: Int32Array.from(indices), rows }),
    });
    this.decoding = decoder?.open(this.live.opening) ?? null;
    const { samplesPerVector } = liveShape(encoder.config);
    const { sampleRate: ownRate } = encoder.coder.timing;
    this.peaks = new Peaks((samplesPerVector * sampleRate) / ownRate / PEAKS_PER_VECTOR);
    tell({ kind: 'opening', bytes: this.live.opening });
  }

  push(samples: Float32Array): void {
    this.samples += samples.length;
    const peaks = this.peaks.push(samples);
    if (peaks.length > 0) this.tell({ kind: 'sound', peaks });
    this.send(this.timed(() => this.live.push(samples)));
  }

  finish(): void {
    this.send(this.timed(() => this.live.finish()));
    const { busySeconds } = this;
    this.tell({ kind: 'done', seconds: this.samples / this.sampleRate, busySeconds });
  }

  private timed(encode: () => Uint8Array[]): Uint8Array[] {
    const begin = performance.now();
    const packets = encode();
    this.busySeconds += (performance.now() - begin) / MILLISECONDS;
    return packets;
  }

  private send(packets: readonly Uint8Array[]): void {
    for (const bytes of packets) {
      this.tell({ kind: 'packet', bytes });
      if (this.decoding === null) continue;
      const { words, partial } = this.decoding.receive(bytes);
      this.tell({ kind: 'words', words, partial });
    }
  }
}
