/**
 * Whether memory grows: 200 times a GPU opened and given back, 10,000 inferences, in every mode that runs here. Run by
 * `npm run bench:gpu-memory`; prints a table of the heap after garbage collection and of resident memory (in Chromium that of all
 * its processes). Numbers of opens and runs may follow.
 */
import { fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { GpuMode } from '../../kernels/gpu/index.js';
import { bundleForPage, CHROMIUM, noChromium, SWITCHES } from '../../test/support/chromium.js';
import { noVulkan, vulkanEnvironment } from '../../test/support/gpu-places.js';

interface Held {
  readonly done: string;
  readonly heap: number;
  readonly resident: number;
}

const [opens = 200, runs = 10_000] = process.argv.slice(2).map(Number);
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function print(place: string, held: readonly Held[]): void {
  for (const { done, heap, resident } of held) {
    console.log(`| ${place} | ${done} | ${megabytes(heap)} | ${megabytes(resident)} |`);
  }
}

function inNode(mode: GpuMode): Promise<readonly Held[]> {
  const script = fileURLToPath(new URL('node.js', import.meta.url));
  const child = fork(script, [mode, String(opens), String(runs)], {
    execArgv: ['--expose-gc'],
    env: vulkanEnvironment(),
  });
  const held: Held[] = [];
  child.on('message', (message) => held.push(message as Held));
  return new Promise((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0 ? resolve(held) : reject(new Error(`${mode} ended with ${code}`)),
    );
  });
}

/** Resident bytes of a process and all that it started. */
function residentOf(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(join('/proc', name, 'stat'), 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // it ended meanwhile
    }
  }
  const belongs = (pid: number): boolean => pid === root || (pid > 1 && belongs(parents.get(pid) ?? 0));
  let bytes = 0;
  for (const pid of parents.keys()) {
    if (!belongs(pid)) continue;
    try {
      const pages = readFileSync(join('/proc', String(pid), 'statm'), 'utf8').split(' ')[1];
      bytes += 4096 * Number(pages);
    } catch {
      // it ended meanwhile
    }
  }
  return bytes;
}

async function inChromium(mode: GpuMode): Promise<readonly Held[]> {
  const script = await bundleForPage("export * from './dist/bench/gpu-memory/work.js';");
  const server = await chromium.launchServer({ executablePath: CHROMIUM, args: SWITCHES });
  const browser = await chromium.connect(server.wsEndpoint());
  try {
    const page = await browser.newPage();
    await page.route('**/*', (route) =>
      route.fulfill(
        new URL(route.request().url()).pathname === '/work.js'
          ? { contentType: 'text/javascript', body: script }
          : { contentType: 'text/html', body: '<!doctype html>' },
      ),
    );
    await page.goto('http://localhost/');
    const devtools = await page.context().newCDPSession(page);
    const held: Held[] = [];
    const note = async (done: string): Promise<void> => {
      await devtools.send('HeapProfiler.collectGarbage');
      const { usedSize } = await devtools.send('Runtime.getHeapUsage');
      held.push({ done, heap: usedSize, resident: residentOf(server.process().pid ?? 0) });
    };
    const work = (what: 'cycles' | 'inferences', times: number) =>
      page.evaluate(
        async ([what, mode, times]) => {
          const module = await import(String('/work.js'));
          return module[what](mode, times, 1, async () => undefined);
        },
        [what, mode, times] as const,
      );
    for (let third = 0; third <= 3; third++) {
      await work('cycles', third === 0 ? 3 : opens / 3);
      await note(`${Math.round((third * opens) / 3)} opened and disposed`);
    }
    for (let third = 0; third <= 3; third++) {
      await work('inferences', third === 0 ? 3 : Math.round(runs / 3));
      await note(`${Math.round((third * runs) / 3)} inferences`);
    }
    return held;
  } finally {
    await browser.close();
    await server.close();
  }
}

console.log('| where | after | heap, MB | resident, MB |');
console.log('| --- | --- | ---: | ---: |');
for (const mode of ['cpu', 'webasm', 'webgpu'] as const) {
  if (mode === 'webgpu' && noVulkan) console.log(`| Node ${mode} | not run: ${noVulkan} | | |`);
  else print(`Node ${mode}`, await inNode(mode));
}
for (const mode of ['webgl2', 'webgpu'] as const) {
  if (noChromium) console.log(`| Chromium ${mode} | not run: ${noChromium} | | |`);
  else print(`Chromium ${mode}`, await inChromium(mode));
}
