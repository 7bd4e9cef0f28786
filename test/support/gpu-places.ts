/** The places where GPU variants are tried out: processes of Node, and Chromium. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { GpuSelection } from '../../kernels/check/index.js';
import type { GpuMode } from '../../kernels/gpu/index.js';
import { build } from '../../src/build/esbuild.js';
import { plainEnvironment } from './cli.js';
import type { GpuRun } from './gpu-verdicts.js';
import { repository } from './shared.js';

const CHROMIUM = process.env['ACOM_CHROMIUM'] ?? '/usr/bin/chromium';
/** A Vulkan driver without a GPU, which comes with Debian's Chromium. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

export const hasChromium = existsSync(CHROMIUM);

/** With the Vulkan driver that the environment names, else with SwiftShader where it is there. */
function vulkanEnvironment(): NodeJS.ProcessEnv {
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

interface Page {
  gpuVerdicts(mode: GpuMode, selection: GpuSelection): Promise<GpuRun | string>;
}

export interface InChromium {
  readonly version: string;
  readonly runs: ReadonlyMap<GpuMode, GpuRun | string>;
}

/** In a page of headless Chromium for each mode. */
export async function gpuRunsInChromium(
  modes: readonly GpuMode[],
  selection: GpuSelection,
): Promise<InChromium> {
  const { outputFiles = [] } = await build({
    entryPoints: [join(repository, 'dist/test/support/gpu-page.js')],
    platform: 'browser',
    // GPU.js comes along; the package for Node is not asked for where there is navigator.gpu.
    external: ['webgpu'],
    write: false,
  });
  const script = outputFiles[0]!.text;
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="page.js"></script>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--enable-unsafe-webgpu'],
  });
  const runs = new Map<GpuMode, GpuRun | string>();
  try {
    for (const mode of modes) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForFunction(() => 'gpuVerdicts' in globalThis);
      const found = await page.evaluate(
        ([mode, selection]) => (globalThis as unknown as Page).gpuVerdicts(mode, selection),
        [mode, selection] as const,
      );
      runs.set(mode, found);
      await page.close();
    }
    return { version: browser.version(), runs };
  } finally {
    await browser.close();
    server.close();
  }
}
