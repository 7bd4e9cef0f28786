/** What memory is watched over: a GPU that is opened and given back, and a small program that runs again and again. */
import { type GpuMode, openGpu } from '../../kernels/gpu/index.js';
import { layerNormGpu } from '../../kernels/layer-norm/gpu.js';
import { matmulGpu } from '../../kernels/matmul/gpu.js';

const [ROWS, WIDTH] = [8, 16];

/** A linear layer and a layer norm of [8, 16]. */
function network(x: Float32Array, weight: Float32Array, ones: Float32Array): Float32Array {
  const [matmul, layerNorm] = [matmulGpu.load(), layerNormGpu.load()];
  const [hidden, y] = [new Float32Array(ROWS * WIDTH), new Float32Array(ROWS * WIDTH)];
  const packed = matmul.pack(WIDTH, WIDTH, weight, 0, 1, WIDTH, 'kept');
  matmul.multiply(ROWS, x, 0, WIDTH, 1, packed, null, 0, 'swish', false, hidden, 0, WIDTH);
  layerNorm(ROWS, WIDTH, 1e-5, hidden, 0, WIDTH, ones, 0, ones, 0, y, 0, WIDTH);
  return y;
}

const ramp = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i));

async function openNetwork(mode: GpuMode) {
  const gpu = await openGpu(mode);
  const input = new Float32Array(ROWS * WIDTH);
  const program = gpu.compile([input], () => {
    const data = network(input, ramp(WIDTH * WIDTH), new Float32Array(WIDTH).fill(1));
    return [{ data, offset: 0, rows: ROWS, columns: WIDTH, rowStride: WIDTH }];
  });
  return { gpu, program };
}

/** Opens, runs once and gives back, `times` times. */
export async function cycles(mode: GpuMode, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { gpu, program } = await openNetwork(mode);
    await program.run([ramp(ROWS * WIDTH)]);
    program.dispose();
    await gpu.dispose();
  }
}

/** Runs one program `times` times; throws where its numbers change. Calls `pause` between the parts of `parts`. */
export async function inferences(
  mode: GpuMode,
  times: number,
  parts: number,
  pause: (done: number) => Promise<void>,
): Promise<void> {
  const { gpu, program } = await openNetwork(mode);
  const first = (await program.run([ramp(ROWS * WIDTH)]))[0]?.join();
  await pause(0);
  for (let part = 1; part <= parts; part++) {
    let last = first;
    for (let i = 0; i < times / parts; i++) last = (await program.run([ramp(ROWS * WIDTH)]))[0]?.join();
    if (last !== first) throw new Error(`${mode}: the numbers changed`);
    await pause((part * times) / parts);
  }
  program.dispose();
  await gpu.dispose();
}
