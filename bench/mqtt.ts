/**
 * npm run bench:mqtt [seconds]: what workers and a broker on this machine do. Devices, broker and workers share its cores, so
 * besides what came through it prints the processor time that each of them took for an utterance, which is what a capacity
 * plan needs.
 */
import { readFileSync } from 'node:fs';
import { connectAsync } from 'mqtt';
import { thisMachine } from '../src/cli/machine.js';
import { MqttDevice, parseBrokerUrl } from '../src/transport/mqtt/index.js';
import { loadCommands, readSamples } from '../test/support/commands.js';
import { Mosquitto, noMosquitto, WorkerProcess } from '../test/support/mosquitto.js';

/** Linux counts processor time of processes in hundredths of a second. */
const TICKS = 100;
const DEVICES = 50;
/** Utterances that each device has under way. */
const WINDOW = 4;
const WARM_UP = 3;
const IDLE_CONNECTIONS = 500;
const IDLE_KEEP_ALIVE = 2;

/** Seconds of processor time that a process took so far. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

const residentKilobytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

const wait = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, 1000 * seconds));

const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(3)} ms`;

/** Devices that send without pause to `count` workers for `seconds`. */
async function loaded(count: number, seconds: number): Promise<void> {
  const broker = await Mosquitto.start(['max_queued_messages 0']);
  const workers = await Promise.all(
    Array.from({ length: count }, () => WorkerProcess.start(broker.url, '--concurrency', '16')),
  );
  const model = await loadCommands();
  const encoder = await model.deviceEncoder();
  const utterances = readSamples().map(({ samples, sampleRate }) => encoder.encode(samples, sampleRate));
  const sound = readSamples().reduce((sum, { samples, sampleRate }) => sum + samples.length / sampleRate, 0);
  const devices = await Promise.all(
    Array.from({ length: DEVICES }, (_, d) =>
      MqttDevice.open({
        address: parseBrokerUrl(broker.url),
        fingerprint: encoder.coder.fingerprint,
        id: `d${String(d).padStart(7, '0')}`,
      }),
    ),
  );
  const took: number[] = [];
  const bytes = { payload: 0, up: 0, down: 0, first: 0 };
  let [measures, goesOn] = [false, true];
  const sending = devices.flatMap((device, d) =>
    Array.from({ length: WINDOW }, async (_, w) => {
      for (let n = d + w; goesOn; n++) {
        const payload = utterances[n % utterances.length]!;
        const { error, milliseconds, sentBytes, receivedBytes } = await device.send(payload);
        if (error !== null) throw new Error(error.message);
        if (!measures) continue;
        took.push(milliseconds);
        bytes.payload += payload.length;
        bytes.up += sentBytes;
        bytes.down += receivedBytes;
      }
    }),
  );
  await wait(WARM_UP);
  const pids = workers.map(({ child }) => child.pid!);
  const before = {
    broker: processorSeconds(broker.pid),
    workers: pids.map(processorSeconds),
    own: process.cpuUsage(),
  };
  const begin = performance.now();
  measures = true;
  await wait(seconds);
  measures = false;
  const length = (performance.now() - begin) / 1000;
  const answered = took.length;
  const own = process.cpuUsage(before.own);
  const used = {
    broker: processorSeconds(broker.pid) - before.broker,
    workers: pids.reduce((sum, pid, i) => sum + processorSeconds(pid) - before.workers[i]!, 0),
    devices: (own.user + own.system) / 1e6,
  };
  goesOn = false;
  await Promise.all(sending);
  took.sort((a, b) => a - b);
  const of = (n: number) => (n / answered).toFixed(1);
  console.log(
    [
      `${count} worker${count === 1 ? '' : 's'}, ${DEVICES} devices with ${WINDOW} utterances under way each, ${length.toFixed(1)} s`,
      `  utterances a second      ${(answered / length).toFixed(0)} (${((answered * sound) / utterances.length / length).toFixed(0)} s of sound a second)`,
      `  processor time of one    worker ${milliseconds(used.workers / answered)}, broker ${milliseconds(used.broker / answered)}, device without encoder ${milliseconds(used.devices / answered)}`,
      `  processor load           workers ${((100 * used.workers) / length).toFixed(0)} %, broker ${((100 * used.broker) / length).toFixed(0)} %, devices ${((100 * used.devices) / length).toFixed(0)} % of one core`,
      `  from sent to answered    median ${took[answered >> 1]!.toFixed(0)} ms, 95 % ${took[Math.floor(0.95 * answered)]!.toFixed(0)} ms`,
      `  bytes of one             ${of(bytes.payload)} of .acom, ${of(bytes.up)} sent and ${of(bytes.down)} received with MQTT's`,
      `  memory                   workers ${pids.map((pid) => (residentKilobytes(pid) / 1024).toFixed(0)).join(', ')} MiB, broker ${(residentKilobytes(broker.pid) / 1024).toFixed(1)} MiB`,
    ].join('\n'),
  );
  for (const device of devices) await device.close();
  for (const worker of workers) await worker.end('SIGTERM');
  await broker.close();
}

/** Devices that have nothing to say: what connections cost the broker. */
async function idle(seconds: number): Promise<void> {
  const broker = await Mosquitto.start();
  const empty = residentKilobytes(broker.pid);
  const clients = [];
  for (let n = 0; n < IDLE_CONNECTIONS; n++) {
    const client = await connectAsync(broker.url, {
      protocolVersion: 5,
      clientId: `d${String(n).padStart(7, '0')}`,
      keepalive: IDLE_KEEP_ALIVE,
    });
    await client.subscribeAsync(`acom/aad351de/out/d${String(n).padStart(7, '0')}`, { qos: 1 });
    clients.push(client);
  }
  const full = residentKilobytes(broker.pid);
  let pings = 0;
  for (const client of clients) {
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq') pings++;
    });
  }
  const before = processorSeconds(broker.pid);
  await wait(seconds);
  const used = processorSeconds(broker.pid) - before;
  console.log(
    [
      `${IDLE_CONNECTIONS} devices that keep quiet, keep-alive of ${IDLE_KEEP_ALIVE} s, ${seconds} s`,
      `  memory of the broker     ${((full - empty) / IDLE_CONNECTIONS).toFixed(1)} kB a connection with its subscription (sockets of the kernel not counted)`,
      `  processor time           ${milliseconds(used / pings)} a ping (${pings} pings)`,
    ].join('\n'),
  );
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await broker.close();
}

const missing = noMosquitto();
if (missing) {
  console.error(missing);
  process.exit(1);
}
const seconds = Number(process.argv[2] ?? 15);
const { processor, cores, node } = thisMachine();
console.log(`${processor}, ${cores} cores, Node ${node}, mosquitto`);
for (const count of [1, 2]) await loaded(count, seconds);
await idle(seconds);
