/** What lost packets cost: word errors at several losses, for each way to conceal them. */
import {
  type CloudDecoder,
  CONCEALMENTS,
  type Concealment,
  type DeviceEncoder,
} from '../../src/codec/index.js';
import { wordErrorRate, wordErrors } from '../../src/tasks/index.js';
import { createRandom } from '../../src/tensor/index.js';
import type { Said } from './recordings.js';

/** Which of a stream's packets arrive. */
type Channel = (packets: number, random: () => number) => boolean[];

const independent =
  (loss: number): Channel =>
  (packets, random) =>
    Array.from({ length: packets }, () => random() >= loss);

/**
 * Gilbert's model: a good state in which all arrives, and a bad one in which nothing does, which lasts `mean` packets.
 */
const bursts =
  (loss: number, mean: number): Channel =>
  (packets, random) => {
    let isBad = random() < loss;
    return Array.from({ length: packets }, () => {
      const arrives = !isBad;
      isBad = isBad ? random() >= 1 / mean : random() < loss / (1 - loss) / mean;
      return arrives;
    });
  };

const CHANNELS: readonly (readonly [name: string, channel: Channel])[] = [
  ['none', independent(0)],
  ...[0.01, 0.03, 0.1, 0.3].map((loss) => [`${100 * loss} % at random`, independent(loss)] as const),
  ...[0.01, 0.03, 0.1, 0.3].map((loss) => [`${100 * loss} % in bursts of 4`, bursts(loss, 4)] as const),
];

/** Utterances of a stream: what is lost at its end can't be known to be lost, so streams are longer than one. */
const IN_A_ROW = 8;
/** Losses that are drawn anew for each stream. */
const DRAWS = 6;

interface Stream {
  readonly opening: Uint8Array;
  readonly packets: readonly Uint8Array[];
  readonly words: readonly string[];
}

function streamsOf(encoder: DeviceEncoder, said: readonly Said[], packetVectors: number): Stream[] {
  const streams: Stream[] = [];
  for (let from = 0; from < said.length; from += IN_A_ROW) {
    const row = said.slice(from, from + IN_A_ROW);
    const live = encoder.live(8000, { packetVectors });
    const packets = row.flatMap(({ samples }) => live.push(samples));
    packets.push(...live.finish());
    streams.push({ opening: live.opening, packets, words: row.flatMap(({ words }) => words) });
  }
  return streams;
}

function errorsOf(
  decoder: CloudDecoder,
  { opening, packets, words }: Stream,
  arrives: readonly boolean[],
  concealment: Concealment,
): number {
  const stream = decoder.live().open(opening, { concealment });
  const heard = packets.flatMap((packet, n) => (arrives[n] ? stream.receive(packet).words : []));
  heard.push(...stream.finish().words);
  return wordErrors(
    words,
    heard.map(({ word }) => word),
  );
}

export function lossLines(
  encoder: DeviceEncoder,
  decoder: CloudDecoder,
  said: readonly Said[],
  packetVectors: number,
): string[] {
  const streams = streamsOf(encoder, said, packetVectors);
  const words = streams.reduce((sum, stream) => sum + stream.words.length, 0);
  const rows = CHANNELS.map(([name, channel]) => {
    const draws = name === 'none' ? 1 : DRAWS;
    const cells = CONCEALMENTS.map((concealment) => {
      // The same packets are lost for every concealment.
      const random = createRandom(9);
      const tallies = Array.from({ length: draws }, () =>
        streams.map((stream) => ({
          words: stream.words.length,
          errors: errorsOf(decoder, stream, channel(stream.packets.length, random), concealment),
        })),
      ).flat();
      const { rate, interval } = wordErrorRate(tallies);
      return `${(100 * rate).toFixed(1)} (${interval.map((end) => (100 * end).toFixed(1)).join(' to ')})`;
    });
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [
    `Lost packets of ${packetVectors} vectors: % of ${words} words wrong (95 % interval), ${streams.length} streams, ` +
      `${DRAWS} draws of each loss`,
    '',
    `| loss | ${CONCEALMENTS.join(' | ')} |`,
    `| --- | ${CONCEALMENTS.map(() => '---:').join(' | ')} |`,
    ...rows,
    '',
  ];
}
