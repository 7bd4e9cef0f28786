/** What a stream that goes on takes of memory: after a while nothing more. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { kernelMemory } from '../../kernels/wasm/runtime.js';
import type { CloudDecoder, DeviceEncoder } from '../../src/codec/index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Held {
  readonly heap: number;
  readonly buffers: number;
  readonly wasm: number;
}

function held(): Held {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers, wasm: kernelMemory()?.buffer.byteLength ?? 0 };
}

/** Both halves of one stream over `seconds` seconds of samples at 8 kHz, in pieces of 20 ms; what is held after each tenth. */
export function memoryLines(
  encoder: DeviceEncoder,
  decoder: CloudDecoder,
  samples: Float32Array,
  seconds: number,
): string[] {
  const live = encoder.live(8000, { packetVectors: 1 });
  const stream = decoder.live().open(live.opening);
  const states: Held[] = [];
  const pieces = seconds * 50;
  let packets = 0;
  for (let n = 0; n < pieces; n++) {
    const from = (n * 160) % (samples.length - 160);
    for (const packet of live.push(samples.subarray(from, from + 160))) {
      stream.receive(packet);
      packets++;
    }
    if ((n + 1) % (pieces / 10) === 0) states.push(held());
  }
  const [first, last] = [states[1]!, states[states.length - 1]!];
  const grown = (of: keyof Held) => `${((last[of] - first[of]) / 1024).toFixed(1)} kB`;
  return [
    `memory of a stream from its first fifth to its end, ${packets} chunks, after a collection: ` +
      `heap ${grown('heap')}, arrays ${grown('buffers')}, WebAssembly ${grown('wasm')} more`,
    '',
  ];
}
