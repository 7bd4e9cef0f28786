/** From sound to answer over slow links: capture, device, link and cloud, packet by packet, in the time of the stream. */
import type { CloudDecoder, DeviceEncoder } from '../../src/codec/index.js';
import { quantile } from '../statistics.js';
import type { Said } from './recordings.js';
import { onWebSocket } from './wire.js';

/** Samples that a microphone hands over at once: 20 ms. */
const CAPTURED = 160;

interface Link {
  readonly name: string;
  /** Bits a second; what is on the way waits for what is before it. */
  readonly rate: number;
  readonly delaySeconds: number;
  /** Bytes of a packet on it. */
  size(message: number): number;
}

const bare = (message: number): number => message;

const LINKS: readonly Link[] = [
  { name: '10 kbit/s, WebSocket/TCP/IP', rate: 10_000, size: onWebSocket },
  { name: '1 kbit/s, WebSocket/TCP/IP', rate: 1000, size: onWebSocket },
  { name: '1 kbit/s, messages alone', rate: 1000, size: bare },
  { name: '200 bit/s, messages alone', rate: 200, size: bare },
].flatMap((link) => [0, 0.2].map((delaySeconds) => ({ ...link, delaySeconds })));

/** A packet's way through the stream. */
interface Sent {
  /** When the last sample that it needs was captured. */
  readonly captured: number;
  readonly deviceSeconds: number;
  readonly cloudSeconds: number;
  readonly bytes: number;
}

export interface Run {
  readonly packets: readonly Sent[];
  readonly seconds: number;
  readonly deviceSeconds: number;
  readonly cloudSeconds: number;
}

/** Streams everything in pieces as a microphone gives them; computes for real, and keeps the stream's time by the samples. */
export function runStream(
  encoder: DeviceEncoder,
  decoder: CloudDecoder,
  said: readonly Said[],
  packetVectors: number,
): Run {
  const live = encoder.live(8000, { packetVectors });
  const stream = decoder.live().open(live.opening);
  const packets: Sent[] = [];
  let [captured, deviceSeconds, cloudSeconds] = [0, 0, 0];
  const clock = () => performance.now() / 1000;
  for (const { samples } of said) {
    for (let from = 0; from < samples.length; from += CAPTURED) {
      const piece = samples.subarray(from, from + CAPTURED);
      captured += piece.length / 8000;
      const began = clock();
      const ready = live.push(piece);
      const computed = clock() - began;
      deviceSeconds += computed;
      for (const message of ready) {
        const arrived = clock();
        stream.receive(message);
        const answered = clock() - arrived;
        cloudSeconds += answered;
        // Only the piece that completes a packet stands between its sound and the link; what was before has been done.
        packets.push({ captured, deviceSeconds: computed, cloudSeconds: answered, bytes: message.length });
      }
    }
  }
  return { packets, seconds: captured, deviceSeconds, cloudSeconds };
}

/** Seconds from the capture of a packet's last sample to its answer, over a link. */
function latencies({ packets }: Run, { rate, delaySeconds, size }: Link): number[] {
  let free = 0;
  return packets.map(({ captured, deviceSeconds, cloudSeconds, bytes }) => {
    const ready = captured + deviceSeconds;
    free = Math.max(free, ready) + (8 * size(bytes)) / rate;
    return free + delaySeconds + cloudSeconds - captured;
  });
}

const milliseconds = (seconds: number): string => (1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0);

export function latencyLines(run: Run, packetSeconds: number): string[] {
  const device = run.packets.map(({ deviceSeconds }) => deviceSeconds);
  const cloud = run.packets.map(({ cloudSeconds }) => cloudSeconds);
  const rows = LINKS.map((link) => {
    const all = latencies(run, link);
    const half = all.slice(all.length >> 1);
    // A link that is too slow falls behind for ever.
    const isBehind = quantile(half, 0.5) > 2 * quantile(all.slice(0, all.length >> 1), 0.5) + 1;
    const shown = isBehind
      ? 'too slow'
      : [0.5, 0.95, 0.99].map((q) => milliseconds(quantile(all, q))).join(' / ');
    return `| ${link.name} | ${1000 * link.delaySeconds} | ${shown} |`;
  });
  return [
    `From the last sample of a packet of ${milliseconds(packetSeconds)} ms to its answer, in ms (median / 95 % / 99 %), ` +
      `${run.packets.length} packets, ${run.seconds.toFixed(0)} s of speech. A word waits for the end of its packet besides.`,
    '',
    '| link | delay ms | from sound to answer |',
    '| --- | ---: | ---: |',
    ...rows,
    '',
    `device ${[0.5, 0.99].map((q) => milliseconds(quantile(device, q))).join(' / ')} ms a packet (median / 99 %), ` +
      `cloud ${[0.5, 0.99].map((q) => milliseconds(quantile(cloud, q))).join(' / ')} ms`,
    '',
  ];
}
