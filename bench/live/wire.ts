/** Bytes on the wire: messages as they are, and with what each transport puts around them. */
import type { DeviceEncoder } from '../../src/codec/index.js';
import type { Said } from './recordings.js';

/** Bytes around a message of `size` bytes from the device to the cloud. */
interface Transport {
  readonly name: string;
  around(size: number): number;
}

/** IPv4 and TCP without options, and acknowledgements of nothing: each message in a segment of its own. */
const TCP = 20 + 20;
/** A record of TLS 1.3: header, content type, authentication tag. */
const TLS = 5 + 1 + 16;
/** A WebSocket frame below 126 bytes of a client: header and mask. */
const WEBSOCKET = 2 + 4;
/** MQTT 5, QoS 0: fixed header, length of an empty topic, no properties but the topic alias. */
const MQTT = 2 + 2 + 1 + 3;

const TRANSPORTS: readonly Transport[] = [
  { name: 'messages alone', around: () => 0 },
  { name: 'WebSocket frames', around: () => WEBSOCKET },
  { name: 'MQTT packets', around: () => MQTT },
  { name: 'UDP/IP', around: () => 28 },
  { name: 'WebSocket/TCP/IP', around: () => WEBSOCKET + TCP },
  { name: 'WebSocket/TLS/TCP/IP', around: () => WEBSOCKET + TLS + TCP },
];

const PACKET_VECTORS = [1, 2, 4, 8];

/** What a packet of `size` bytes weighs between WebSocket and IP. */
export const onWebSocket = (size: number): number => size + WEBSOCKET + TCP;

export function wireLines(encoder: DeviceEncoder, said: readonly Said[], codebooks: number): string[] {
  const seconds = said.reduce((sum, { samples }) => sum + samples.length / 8000, 0);
  const rows = PACKET_VECTORS.map((packetVectors) => {
    const live = encoder.live(8000, { packetVectors, codebooks });
    const packets = said.flatMap(({ samples }) => live.push(samples));
    packets.push(...live.finish());
    const rates = TRANSPORTS.map(({ around }) => {
      const bytes = packets.reduce((sum, { length }) => sum + length + around(length), 0);
      return ((8 * bytes) / seconds).toFixed(0);
    });
    const milliseconds = (1000 * packetVectors) / encoder.coder.timing.vectorsPerSecond;
    return `| ${milliseconds.toFixed(0)} | ${rates.join(' | ')} |`;
  });
  return [
    `Bit/s on the wire, ${codebooks} codebooks, ${seconds.toFixed(0)} s of speech in one stream`,
    '',
    `| ms a packet | ${TRANSPORTS.map(({ name }) => name).join(' | ')} |`,
    `| ---: | ${TRANSPORTS.map(() => '---:').join(' | ')} |`,
    ...rows,
    '',
  ];
}
