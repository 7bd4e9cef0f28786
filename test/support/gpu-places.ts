/** The places where GPU variants are tried out: processes of Node, and Chromium. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GpuSelection } from '../../kernels/check/index.js';
import type { GpuMode } from '../../kernels/gpu/index.js';
import { bundleForPage, onPage } from './chromium.js';
import { plainEnvironment } from './cli.js';
import type { GpuRun } from './gpu-verdicts.js';
import { repository } from './shared.js';

/** A Vulkan driver without a GPU, which comes with Debian's Chromium. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** False, or why WebGPU in Node has no driver: for tap's skip. */
export const noVulkan: string | false =
  process.env['VK_ICD_FILENAMES'] || existsSync(SWIFTSHADER)
    ? false
    : `no Vulkan driver (VK_ICD_FILENAMES, or ${SWIFTSHADER} of Debian's Chromium)`;

/** With the Vulkan driver that the environment names, else with SwiftShader where it is there. */
export function vulkanEnvironment(): NodeJS.ProcessEnv {
  const named = process.env['VK_ICD_FILENAMES'];
  const driver = named ?? (existsSync(SWIFTSHADER) ? SWIFTSHADER : undefined);
  return { ...plainEnvironment(), ...(driver === undefined ? {} : { VK_ICD_FILENAMES: driver }) };
}

/** In a process of its own: a driver must be named before it starts, and may end it. */
export const gpuRunInNode = (mode: GpuMode, selection: GpuSelection): Promise<GpuRun | string> =>
  answerOfChild<GpuRun | string>('test/support/gpu-child.js', [mode, JSON.stringify(selection)]);

/** The one message that a process sends whose script is `script` of dist, and which finds the Vulkan driver. */
export function answerOfChild<T>(script: string, args: readonly string[]): Promise<T> {
  return new Promise((done, failed) => {
    const child = fork(join(repository, 'dist', script), args, {
      env: vulkanEnvironment(),
      // Infinity is no JSON.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    let answer: T | undefined;
    child.stderr?.on('data', (part: Buffer) => {
      said += part;
    });
    child.on('message', (message) => {
      answer = message as T;
    });
    child.on('error', failed);
    child.on('close', (code) => {
      if (answer !== undefined) done(answer);
      else failed(new Error(`${script} ${args.join(' ')}: the process ended with ${code}: ${said}`));
    });
  });
}

export interface InChromium {
  readonly version: string;
  readonly runs: ReadonlyMap<GpuMode, GpuRun | string>;
}

/** In one page of headless Chromium, one mode after another. */
export async function gpuRunsInChromium(
  modes: readonly GpuMode[],
  selection: GpuSelection,
): Promise<InChromium> {
  const script = await bundleForPage("export { gpuVerdicts } from './dist/test/support/gpu-verdicts.js';");
  return onPage(script, {}, async (page) => {
    const runs = new Map<GpuMode, GpuRun | string>();
    for (const mode of modes) {
      const expression = `import('/script.js').then(({ gpuVerdicts }) => gpuVerdicts(${JSON.stringify(mode)}, ${JSON.stringify(selection)}))`;
      runs.set(mode, await page.evaluate<GpuRun | string>(expression));
    }
    return { version: page.context().browser()?.version() ?? '', runs };
  });
}
