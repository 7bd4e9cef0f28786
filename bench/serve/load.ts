/**
 * npm run bench:serve -- [--streams 100,500,1000] [--seconds 30] [--workers 1] [--vectors 1,2]: simultaneous live streams at the pace of
 * speech through one `acom serve` on this machine; how long packets wait for their answers, and what the server takes. The devices
 * are simulated in this process, on the same cores.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine, thisMachine } from '../report.js';
import { quantile } from '../statistics.js';
import { Device, type Speech } from './client.js';
import { ServerUnderLoad } from './server.js';
import { speeches } from './speech.js';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '100,500,1000' },
    seconds: { type: 'string', default: '30' },
    workers: { type: 'string', default: '1' },
    vectors: { type: 'string', default: '1,2' },
  },
});
const SECONDS_A_VECTOR = 0.32;
/** Connections that are opened at once. */
const OPENED_TOGETHER = 50;

const LIMITS = {
  streams: 1e5,
  streamsPerClient: 1e5,
  connections: 1e5,
  requestsPerSecond: 1e5,
  requestBurst: 1e5,
};

/** Sends a packet of each device every `interval` seconds, each at a moment of its own; until all is sent. */
async function pace(devices: readonly Device[], interval: number): Promise<number> {
  const began = performance.now() / 1000;
  const busy = devices.map((device, n) => ({ device, at: (n / devices.length) * interval, sent: 0 }));
  let latest = 0;
  for (let left = busy; left.length > 0; ) {
    const now = performance.now() / 1000 - began;
    left = left.filter((each) => {
      const due = each.at + each.sent * interval;
      if (due > now) return true;
      latest = Math.max(latest, now - due);
      each.sent++;
      return each.device.send();
    });
    await sleep(2);
  }
  return latest;
}

async function run(all: readonly Speech[], count: number, vectors: number): Promise<string> {
  const server = await ServerUnderLoad.start(Number(values.workers), LIMITS);
  try {
    const devices: Device[] = [];
    for (let n = 0; n < count; n += OPENED_TOGETHER) {
      const some = Array.from(
        { length: Math.min(OPENED_TOGETHER, count - n) },
        (_, i) => all[(n + i) % all.length]!,
      );
      devices.push(...(await Promise.all(some.map((speech) => Device.open(server.address, speech)))));
    }
    const [cpu, own] = [server.cpuSeconds(), process.cpuUsage()];
    const began = performance.now();
    const late = await pace(devices, vectors * SECONDS_A_VECTOR);
    await Promise.race([Promise.all(devices.map(({ closed }) => closed)), sleep(20_000)]);
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(own);
    const latencies = devices.flatMap((device) => device.latencies);
    const whole = devices.filter(({ ended }) => ended === 'final').length;
    const right = devices.filter(({ words, speech }) => words.join(' ') === speech.words.join(' ')).length;
    const [batches, packets] = [await server.metric('acom_batch_streams_count'), latencies.length];
    const ms = (q: number) => (1000 * quantile(latencies, q)).toFixed(0);
    return (
      `| ${count} | ${1000 * vectors * SECONDS_A_VECTOR} | ${(packets / seconds).toFixed(0)} | ${ms(0.5)} / ${ms(0.95)} / ${ms(0.99)} / ${ms(1)} | ` +
      `${whole} / ${right} | ${((server.cpuSeconds() - cpu) / seconds).toFixed(2)} | ` +
      `${((used.user + used.system) / 1e6 / seconds).toFixed(2)} | ${server.residentMegabytes().toFixed(0)} | ` +
      `${batches > 0 ? (packets / batches).toFixed(1) : '-'} | ${(1000 * late).toFixed(0)} |`
    );
  } finally {
    await server.stop();
  }
}

console.log(describeMachine(thisMachine()));
console.log(
  '\n| streams | ms a packet | packets/s | from packet to answer, ms: median / 95 % / 99 % / most | streams to the end / with all words | cores of the server | cores of the devices | MB | packets a batch | latest device, ms |',
);
console.log('| ---: | ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |');
for (const vectors of values.vectors.split(',').map(Number)) {
  const all = await speeches(Number(values.seconds), vectors);
  for (const count of values.streams.split(',').map(Number)) console.log(await run(all, count, vectors));
}
