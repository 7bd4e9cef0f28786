/**
 * npm run bench:soak -- [--minutes 60] [--speed 20] [--streams 60]: an hour of live streams in a fraction of it, with devices that go
 * away, send what is no packet, read nothing or come back, beside devices that behave; whether those hear what the library
 * hears, and whether the server's memory stays.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../../src/tensor/index.js';
import { describeMachine, thisMachine } from '../report.js';
import { Device, type Speech } from './client.js';
import { ServerUnderLoad } from './server.js';
import { speeches } from './speech.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    speed: { type: 'string', default: '20' },
    streams: { type: 'string', default: '60' },
  },
});
const [minutes, speed, streams] = [values.minutes, values.speed, values.streams].map(Number) as [
  number,
  number,
  number,
];
const VECTORS = 2;
const INTERVAL = (VECTORS * 0.32) / speed;
/** Seconds of speech of one stream. */
const STREAM_SECONDS = 60;
const LIMITS = {
  streamsPerClient: 1e5,
  requestsPerSecond: 1e5,
  requestBurst: 1e5,
  messagesPerSecond: 1e4,
  messageBurst: 1e5,
  bytesPerSecond: 1e6,
  byteBurst: 1e7,
  audioPerSecond: 1e3,
  audioBurst: 1e4,
};

/** What a device does, and how often among a hundred. */
const KINDS = [
  ['behaves', 60],
  ['vanishes', 15],
  ['sends rubbish', 12],
  ['sends a damaged packet', 8],
  ['reads nothing', 5],
] as const;
type Kind = (typeof KINDS)[number][0];

const random = createRandom(1);
function drawKind(): Kind {
  let at = random() * 100;
  for (const [kind, share] of KINDS) {
    at -= share;
    if (at < 0) return kind;
  }
  return 'behaves';
}

interface Tally {
  streams: number;
  /** Of those that behave: heard to the end with the right words. */
  right: number;
  readonly ends: Map<string, number>;
}
const tallies = new Map<Kind, Tally>(
  KINDS.map(([kind]) => [kind, { streams: 0, right: 0, ends: new Map() }]),
);

async function one(server: ServerUnderLoad, speech: Speech, kind: Kind): Promise<void> {
  const device = await Device.open(server.address, speech);
  const trouble = Math.floor(random() * speech.packets.length);
  for (let n = 0, more = true; more; n++) {
    if (n === trouble && kind === 'vanishes') {
      device.vanish();
      break;
    }
    if (n === trouble && kind === 'sends rubbish') {
      device.sendRaw(Uint8Array.from({ length: 1 + Math.floor(random() * 300) }, () => 256 * random()));
    }
    if (n === trouble && kind === 'sends a damaged packet') {
      device.sendRaw(speech.packets[n]!.map((byte, i) => (i === 1 ? byte ^ 64 : byte)));
    }
    if (n === trouble && kind === 'reads nothing') device.stopReading();
    more = device.send();
    await sleep(1000 * INTERVAL);
  }
  if (kind === 'reads nothing') {
    await sleep(500);
    device.vanish();
  }
  await device.closed;
  const tally = tallies.get(kind)!;
  tally.streams++;
  tally.ends.set(device.ended!, (tally.ends.get(device.ended!) ?? 0) + 1);
  if (device.ended === 'final' && device.words.join(' ') === speech.words.join(' ')) tally.right++;
}

console.log(describeMachine(thisMachine()));
const all = await speeches(STREAM_SECONDS, VECTORS);
const server = await ServerUnderLoad.start(1, LIMITS);
const end = performance.now() + (60_000 * minutes) / speed;
const memory: number[] = [];
const watch = setInterval(() => memory.push(server.residentMegabytes()), 2000);
await Promise.all(
  Array.from({ length: streams }, async () => {
    while (performance.now() < end) {
      await one(server, all[Math.floor(random() * all.length)]!, drawKind());
    }
  }),
);
clearInterval(watch);
// A server that still works, with nothing left in it.
await sleep(1000);
const ready = (await fetch(`${server.address}/ready`)).status;
const [open, restarts, packets] = await Promise.all(
  ['acom_streams_open', 'acom_worker_restarts_total', 'acom_packets_total'].map((name) =>
    server.metric(name),
  ),
);
const third = (n: number): string => {
  const part = memory.slice(Math.floor((n * memory.length) / 3), Math.floor(((n + 1) * memory.length) / 3));
  return (part.reduce((sum, each) => sum + each, 0) / part.length).toFixed(0);
};
console.log(
  `\n${minutes} minutes of ${streams} streams at ${speed} times the pace of speech, ${packets} packets`,
);
console.log(
  '\n| devices | streams | ended by | heard to the end as the library hears it |\n| --- | ---: | --- | ---: |',
);
for (const [kind, { streams: count, right, ends }] of tallies) {
  const ways = [...ends].map(([how, times]) => `${how} ${times}`).join(', ');
  console.log(`| ${kind} | ${count} | ${ways} | ${right} |`);
}
console.log(
  `\nserver: /ready ${ready}, ${open} streams open, ${restarts} workers replaced, resident MB in the first, second and last third: ${[0, 1, 2].map(third).join(', ')}`,
);
const code = await server.stop();
console.log(`exit code ${code}; standard error: ${server.errors().split('\n').length - 1} lines`);
