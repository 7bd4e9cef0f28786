/** One GPU for each process or page: opened, shared, given back, lost. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { cycles, inferences } from '../../bench/gpu-memory/work.js';
import { reluGpu, scaledAddGpu } from '../../kernels/activations/gpu.js';
import type { Device, DeviceArray } from '../../kernels/gpu/device.js';
import { GpuError, type GpuMode, GpuProgram, gpuSupport, openGpu } from '../../kernels/gpu/index.js';
import { record } from '../../kernels/gpu/recording.js';
import { bundleForPage, noChromium, onPage } from '../support/chromium.js';
import { noVulkan, vulkanEnvironment } from '../support/gpu-places.js';
import { repository } from '../support/shared.js';

const relu = reluGpu.load();
const add = scaledAddGpu.load();

/** max(x, 0) of -1, 2, -3. */
async function computes(mode: GpuMode): Promise<number[]> {
  const gpu = await openGpu(mode);
  const y = new Float32Array(3);
  const program = gpu.record(() => relu(3, Float32Array.of(-1, 2, -3), 0, y, 0));
  await program.run();
  program.dispose();
  await gpu.dispose();
  return [...y];
}

t.test('one mode at a time, shared by all who open it', async (t) => {
  const first = await openGpu('cpu');
  const second = await openGpu('cpu');
  await t.rejects(openGpu('webasm'), {
    code: 'ACOM_GPU',
    message: /mode cpu is open; dispose it before you open webasm/,
  });
  await first.dispose();
  await first.dispose();
  t.throws(() => first.record(() => undefined), { code: 'ACOM_GPU', message: /disposed; open it again/ });
  t.same(await computes('cpu'), [0, 2, 0], 'the second holder keeps it');
  const program = second.record(() => relu(1, Float32Array.of(-1), 0, new Float32Array(1), 0));
  await second.dispose();
  await t.rejects(program.run(), { code: 'ACOM_GPU', message: /disposed; open it again/ });
  t.same(await computes('webasm'), [0, 2, 0], 'another mode after it');
  t.same(await computes('cpu'), [0, 2, 0], 'and the first again');
});

t.test('programs and recordings that are used wrongly', async (t) => {
  const gpu = await openGpu('cpu');
  t.teardown(() => gpu.dispose());
  t.throws(() => relu(1, new Float32Array(1), 0, new Float32Array(1), 0), {
    code: 'ACOM_KERNEL',
    message: /inside record or compile/,
  });
  const failing = () =>
    gpu.compile([new Float32Array(2)], () => {
      throw new Error('half-way');
    });
  t.throws(failing, { message: 'half-way' });
  t.throws(failing, { message: 'half-way' }, 'a recording that failed is over');
  t.throws(() => gpu.record(() => void gpu.record(() => undefined)), {
    code: 'ACOM_KERNEL',
    message: /inside/,
  });
});

t.test('a program says what it was made for', async (t) => {
  const gpu = await openGpu('cpu');
  t.teardown(() => gpu.dispose());
  const input = new Float32Array(2);
  const program = gpu.compile([input], () => {
    const y = new Float32Array(2);
    relu(2, input, 0, y, 0);
    return [{ data: y, offset: 0, rows: 1, columns: 2, rowStride: 2 }];
  });
  t.same([...(await program.run([Float32Array.of(-1, 3)]))[0]!], [0, 3]);
  t.same([...(await program.run([Float32Array.of(4, -1)]))[0]!], [4, 0]);
  await t.rejects(program.run([new Float32Array(3)]), {
    code: 'ACOM_GPU',
    message: /3 numbers; .* made for 2/,
  });
  program.dispose();
  program.dispose();
  await t.rejects(program.run([input]), { code: 'ACOM_GPU', message: /disposed/ });
  t.throws(
    () =>
      gpu.compile([input], () => [
        { data: new Float32Array(1), offset: 0, rows: 1, columns: 1, rowStride: 1 },
      ]),
    {
      code: 'ACOM_KERNEL',
    },
  );
});

/** A device that counts what is on it, and fails at the launch of a number. */
function countingDevice(failAt: number): Device & { readonly alive: Set<DeviceArray> } {
  const alive = new Set<DeviceArray>();
  let launches = 0;
  const make = (length: number): DeviceArray => {
    const array: DeviceArray = { value: new Float32Array(length), size: [length] };
    alive.add(array);
    return array;
  };
  return {
    alive,
    upload: async (data) => make(data.length),
    launch: async (_source, _constants, [x, y = 1, z = 1]) => {
      if (launches++ === failAt) throw new GpuError('planted');
      return make(x * y * z);
    },
    read: async ({ value }) => value as Float32Array,
    release: (array) => {
      if (!alive.delete(array)) throw new Error('released twice, or never there');
    },
  };
}

t.test('a run that fails half-way leaves nothing on the device', async (t) => {
  const input = new Float32Array(4);
  const chain = () => {
    const [a, b] = [new Float32Array(4), new Float32Array(4)];
    add(4, input, 0, 2, Float32Array.of(1, 2, 3, 4), 0, a, 0);
    relu(4, a, 0, b, 0);
    relu(4, b, 0, a, 0);
    return [{ data: a, offset: 0, rows: 1, columns: 4, rowStride: 4 }];
  };
  for (const failAt of [0, 1, 2]) {
    const device = countingDevice(failAt);
    const program = new GpuProgram(device, record(chain, [input]));
    await t.rejects(program.run([new Float32Array(4)]), { code: 'ACOM_GPU', message: /planted/ });
    t.equal(device.alive.size, 2, `launch ${failAt}: the constant and the input are left`);
    await program.run([new Float32Array(4)]);
    t.equal(device.alive.size, 2, 'and the next run is as any other');
    program.dispose();
    t.equal(device.alive.size, 0, 'disposed');
  }
});

t.test('modes that do not run say why', async (t) => {
  t.match(await gpuSupport('webgl2'), /for browsers/);
  t.match(await gpuSupport('cuda' as GpuMode), /no such mode; use webgl2, webgpu, webasm, cpu/);
  t.equal(await gpuSupport('cpu'), true);
  t.equal(await gpuSupport('webasm'), true);
});

t.test('opened and given back, and run, again and again: nothing is kept', async (t) => {
  const held = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  if (!globalThis.gc) setFlagsFromString('--expose-gc');
  const gc = globalThis.gc ?? (runInNewContext('gc') as () => void);
  const settled = async (): Promise<number> => {
    // What a first collection finds is freed natively in the next turn of the loop.
    gc();
    await setTimeout(100);
    gc();
    return held();
  };
  const round = async (mode: GpuMode): Promise<void> => {
    await cycles(mode, 30);
    await inferences(mode, 2000, 1, async () => undefined);
  };
  for (const mode of ['cpu', 'webasm'] as const) {
    // The heap grows by up to 1.5 MB in the first round, and not again: that is no leak.
    await round(mode);
    const before = await settled();
    await round(mode);
    const grown = (await settled()) - before;
    t.ok(grown < 1e6, `${mode}: ${grown} bytes more after 30 openings and 2,000 runs`);
  }
});

/** Loses the device while results are on it: what the second half of a program, and the next program, then say. */
const LOSS = `
import { openGpu } from './dist/kernels/gpu/index.js';
import { swishGpu } from './dist/kernels/activations/gpu.js';
const swish = swishGpu.load();
const message = (promise) => promise.then((numbers) => 'numbers: ' + [...numbers[0]], (error) => error.code + ' ' + error.message);
export async function run(mode, lose) {
  const gpu = await openGpu(mode);
  const make = () => gpu.record(() => swish(4, Float32Array.of(1, 2, 3, 4), 0, new Float32Array(4), 0));
  const program = make();
  const before = await message(program.run());
  const array = await gpu.device.upload(Float32Array.of(5, 6));
  await lose(array.value);
  const lost = [await message(gpu.device.read(array).then((numbers) => [numbers])), await message(program.run()), await message(make().run())];
  // Another holder need not wait until all who hold the lost one have given it back.
  const again = await openGpu(mode);
  await gpu.dispose();
  const after = await message(again.record(() => swish(4, Float32Array.of(1, 2, 3, 4), 0, new Float32Array(4), 0)).run());
  await again.dispose();
  return { before, lost, after };
}
export const loseContext = async ({ context }) => { context.getExtension('WEBGL_lose_context').loseContext(); };
export const loseDevice = async ({ context }) => { context.device.destroy(); await context.device.lost; };
`;

interface Loss {
  readonly before: string;
  readonly lost: readonly string[];
  readonly after: string;
}

function checkLoss(t: Test, { before, lost, after }: Loss): void {
  t.match(before, /^numbers: 0\.731/);
  for (const said of lost) t.match(said, /^ACOM_GPU .*(was lost|failed|does not run)/);
  t.ok(
    lost.some((said) => /was lost.*dispose it and open it again/.test(said)),
    lost.join('\n'),
  );
  t.equal(after, before, 'opened again, it works');
}

t.test('a lost device in Chromium is an error, never zeros', { skip: noChromium }, async (t) => {
  const script = await bundleForPage(LOSS);
  for (const [mode, lose] of [
    ['webgl2', 'loseContext'],
    ['webgpu', 'loseDevice'],
  ] as const) {
    const found = await onPage(script, {}, (page) =>
      page.evaluate(
        async ([mode, lose]) => {
          const module = await import(String('/script.js'));
          return module.run(mode, module[lose]);
        },
        [mode, lose] as const,
      ),
    );
    checkLoss(t, found as Loss);
  }
});

t.test('a lost device in Node', { skip: noVulkan }, async (t) => {
  const script = `${LOSS.replaceAll("'./dist", `'${repository}/dist`)}
    console.log(JSON.stringify(await run('webgpu', loseDevice)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(repository, 'dist'),
    env: vulkanEnvironment(),
  });
  checkLoss(t, JSON.parse(stdout) as Loss);
});
