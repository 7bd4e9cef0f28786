/**
 * The shipped model on devices: WebGL 2 and WebGPU of Chromium, WebGPU of Node. All through SwiftShader where there is no
 * GPU, which computes in float32 as GPUs do.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { bundleForPage, noChromium, onPage } from '../support/chromium.js';
import { loadCommands, modelFile, readSamples, samplesFolder } from '../support/commands.js';
import { noVulkan, vulkanEnvironment } from '../support/gpu-places.js';
import { differences } from '../support/near-ties.js';
import { repository } from '../support/shared.js';

/** What a device made of the bundled samples. */
interface Made {
  readonly mode: string;
  readonly samples: readonly {
    readonly path: string;
    readonly bytes: readonly number[];
    readonly text: string;
  }[];
}

const samples = readSamples();
const paths = samples.map(({ path }) => path);

/** Runs in the page and in the child process alike. */
const SCRIPT = (entry: string, main: string) => `
import { loadCodecModel } from '${entry}';
import { readWav } from '${main}';
export async function run(source, mode, paths, read) {
  const model = await loadCodecModel(source, { backend: 'gpu', mode });
  const encoder = await model.deviceEncoder();
  const decoder = await model.cloudDecoder();
  const made = [];
  for (const path of paths) {
    const { samples, sampleRate } = readWav(await read(path));
    const bytes = await encoder.encode(samples, sampleRate, { codebooks: 2 });
    made.push({ path, bytes: [...bytes], text: (await decoder.decode(bytes)).text });
  }
  await model.dispose();
  return { mode: model.mode, samples: made };
}
`;

async function check(t: Test, made: Made, mode: string) {
  const cpu = await loadCommands();
  const encoder = await cpu.deviceEncoder();
  const decoder = await cpu.cloudDecoder();
  t.equal(made.mode, mode);
  t.same(
    made.samples.map(({ path }) => path),
    paths,
  );
  let ties = 0;
  for (const [i, { samples: sound, sampleRate, path }] of samples.entries()) {
    const { bytes, text } = made.samples[i]!;
    const expected = encoder.quantize(sound, sampleRate, { codebooks: 2 });
    const found = decoder.coder.read(Uint8Array.from(bytes)).indices;
    const { wrong, nearTies } = await differences(modelFile, sound, sampleRate, expected, found);
    t.equal(wrong, 0, `${path}: indices`);
    ties += nearTies;
    const mine = encoder.encode(sound, sampleRate, { codebooks: 2 });
    if (nearTies === 0) t.same(bytes, [...mine], `${path}: the same bytes`);
    t.equal(text, decoder.decode(Uint8Array.from(bytes)).text, `${path}: ${text}`);
  }
  t.comment(`${mode}: ${ties} near-ties`);
}

for (const mode of ['webgl2', 'webgpu']) {
  t.test(`Chromium, ${mode}`, { skip: noChromium, timeout: 240_000 }, async (t) => {
    const script = await bundleForPage(SCRIPT('./dist/src/gpu/index.js', './dist/src/index.js'));
    const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(samplesFolder, path))]));
    const made = await onPage(script, { ...files, 'model.safetensors': readFileSync(modelFile) }, (page) =>
      page.evaluate(
        async ([mode, paths]) => {
          const { run } = await import(/* webpackIgnore: true */ String('/script.js'));
          const read = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
          return run(await read('model.safetensors'), mode, paths, read);
        },
        [mode, paths] as const,
      ),
    );
    await check(t, made as Made, mode);
  });
}

t.test('Node, webgpu', { skip: noVulkan, timeout: 240_000 }, async (t) => {
  const script = `${SCRIPT(join(repository, 'dist/src/gpu/index.js'), join(repository, 'dist/src/index.js'))}
    import { readFileSync } from 'node:fs';
    const read = (path) => readFileSync('${samplesFolder}/' + path);
    console.log(JSON.stringify(await run('${modelFile}', 'webgpu', ${JSON.stringify(paths)}, read)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: repository,
    env: vulkanEnvironment(),
    maxBuffer: 1e8,
  });
  await check(t, JSON.parse(stdout) as Made, 'webgpu');
});
