/** The package as its users get it: packed, installed without scripts and optional packages, imported, run. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import t from 'tap';
import { loadCommands, readSamples } from '../support/commands.js';
import { repository } from '../support/shared.js';

const run = promisify(execFile);
const consumer = join(repository, 'test/package/consumer');
const CHROMIUM = process.env['ACOM_CHROMIUM'] ?? '/usr/bin/chromium';
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];

const project = await mkdtemp(join(tmpdir(), 'acom-package-'));
t.teardown(() => rm(project, { recursive: true, force: true }));

const { stdout } = await run('npm', ['pack', '--json', ...quiet, '--pack-destination', project], {
  cwd: repository,
});
const packed = JSON.parse(stdout.slice(stdout.indexOf('['))) as {
  filename: string;
  size: number;
  files: { path: string }[];
}[];
const [{ filename, files }] = packed as [(typeof packed)[0]];
await writeFile(
  join(project, 'package.json'),
  JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
);
const install = [
  'install',
  '--ignore-scripts',
  '--omit=optional',
  '--prefer-offline',
  ...quiet,
  join(project, filename),
];
await run('npm', install, { cwd: project });
const installed = join(project, 'node_modules/acom');

/** Runs Node in the project and gives what it printed; a word on standard error is a failure. */
async function node(...args: string[]): Promise<string> {
  const result = await run('node', args, { cwd: project });
  if (result.stderr !== '') throw new Error(result.stderr);
  return result.stdout;
}

t.test('what is in it, and what comes with it', async (t) => {
  const paths = files.map(({ path }) => path);
  for (const wanted of [
    'LICENSE',
    'README.md',
    'dist/bin/acom.js',
    'dist/bin/LICENSES.txt',
    'weights/commands.safetensors',
  ]) {
    t.ok(paths.includes(wanted), wanted);
  }
  t.same(
    paths.filter((path) => /test|bench|\.map$|tsbuildinfo|src\/(cli|build)\//.test(path)),
    [],
  );
  const others = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
  t.same(others.sort(), [
    'acom',
    'cwise-compiler',
    'fft.js',
    'iota-array',
    'is-buffer',
    'ndarray',
    'ndarray-ops',
    'uniq',
  ]);
});

/** The subpaths of the package that are code. */
function subpathsOf(): string[] {
  const text = readFileSync(join(installed, 'package.json'), 'utf8');
  const { exports } = JSON.parse(text) as { exports: Record<string, unknown> };
  return Object.keys(exports).filter((path) => !/\*|package\.json|\.wasm$/.test(path));
}

t.test('every subpath is imported from ESM', async (t) => {
  const subpaths = subpathsOf();
  t.ok(subpaths.length >= 12);
  for (const room of ['published', 'evaluation', 'training']) t.ok(subpaths.includes(`./${room}`), room);
  const script = subpaths.map((path, i) => {
    const name = path.replace('.', 'acom');
    return `import * as m${i} from '${name}'; if (Object.keys(m${i}).length === 0) throw new Error('${name} is empty');`;
  });
  await writeFile(join(project, 'imports.js'), `${script.join('\n')}\nconsole.log('all');`);
  t.equal(await node('imports.js'), 'all\n');
  await writeFile(
    join(project, 'weights.js'),
    "import { loadCodecModel } from 'acom'; const m = await loadCodecModel(new URL(import.meta.resolve('acom/weights/commands.safetensors'))); console.log(m.config.name);",
  );
  t.equal(await node('weights.js'), 'commands\n');
  await writeFile(
    join(project, 'kernels.js'),
    "import { readFile } from 'node:fs/promises'; import { configureKernels } from 'acom'; const module = new WebAssembly.Module(await readFile(new URL(import.meta.resolve('acom/kernels.wasm')))); configureKernels({ module }); console.log(WebAssembly.Module.exports(module).some(({ name }) => name === 'matmul'));",
  );
  t.equal(await node('kernels.js'), 'true\n', 'the precompiled kernels');
});

t.test('types hold without skipLibCheck', async (t) => {
  await copyFile(join(consumer, 'usage.ts'), join(project, 'usage.ts'));
  const all = subpathsOf().map((path, i) => `export * as m${i} from '${path.replace('.', 'acom')}';`);
  await writeFile(join(project, 'all.ts'), all.join('\n'));
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const options = {
      module,
      moduleResolution,
      target: 'ES2022',
      lib: ['ES2022', 'DOM'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    };
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['usage.ts', 'all.ts'] }),
    );
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const result = await run('node', [tsc, '-p', project], { cwd: project }).catch(
      (error: { stdout: string }) => error,
    );
    t.equal(result.stdout, '', `${moduleResolution} resolution`);
  }
});

t.test('the command runs, and names the package that FLAC needs', async (t) => {
  const command = join(project, 'node_modules/.bin/acom');
  const demo = await run(command, ['demo', '--output', 'streams'], { cwd: project });
  t.match(demo.stdout, /31 of 31 words right/);
  const decoded = await run(command, ['decode', 'streams/counting.acom'], { cwd: project });
  t.match(decoded.stdout, /counting\.acom: one two three four five/);
  const samples = join(installed, 'weights/samples');
  const batch = await run(command, ['encode', samples, '-o', 'batch', '-j', '2'], { cwd: project });
  t.match(batch.stderr, /6 files: 6 done/, 'worker threads start from the bundle');
  const one = await run(command, ['encode', join(samples, 'digits.wav'), '-o', 'one.acom'], { cwd: project });
  t.match(one.stdout, /5\.42 s/);
  t.same(readFileSync(join(project, 'batch/digits.acom')), readFileSync(join(project, 'one.acom')));
  await writeFile(
    join(project, 'x.flac'),
    Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(14), Buffer.from('01f40000', 'hex'), Buffer.alloc(40)]),
  );
  const failed = await run(command, ['encode', 'x.flac'], { cwd: project }).catch(
    (error: { code: number; stderr: string }) => error,
  );
  t.match(failed, { code: 1, stderr: /npm install @wasm-audio-decoders\/flac/ });
  const server = (await run(command, ['serve'], { cwd: project }).catch((error) => error)) as object;
  t.match(server, { code: 1, stderr: /acom serve needs .*: npm install fastify .*prom-client/ });
});

t.test('a GPU is had with gpu.js alone', async (t) => {
  await writeFile(
    join(project, 'gpu.js'),
    "import { loadCodecModel } from 'acom/gpu'; const model = new URL(import.meta.resolve('acom/weights/commands.safetensors')); await loadCodecModel(model, { backend: 'gpu', mode: 'cpu' }).catch(({ code, message }) => console.log(code, message));",
  );
  const said = await node('gpu.js');
  t.match(said, /^ACOM_GPU .*npm install gpu\.js/);
  t.match(said, /84 MB .* "overrides": \{ "gpu\.js": /, 'and how to do without what it does not load');
});

/** Recordings and the optional packages, which the project has not, come from the repository. */
function fileBehind(path: string): string {
  if (path.startsWith('/optional/')) return join(repository, 'node_modules', path.slice('/optional/'.length));
  if (path.startsWith('/recordings/')) {
    return join(repository, 'test/fixtures/audio', path.slice('/recordings/'.length));
  }
  return join(project, path);
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

t.test(
  'in headless Chromium',
  { skip: existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed` },
  async (t) => {
    for (const page of ['page.html', 'gpu.html', 'recordings.html'])
      await copyFile(join(consumer, page), join(project, page));
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
      const path = fileBehind(pathname);
      // Only pages that ask for it are isolated from other origins, and may share memory with workers.
      const isolation = searchParams.has('isolated')
        ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
        : {};
      if (!existsSync(path)) response.writeHead(404).end();
      else
        response
          .writeHead(200, {
            'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
            ...isolation,
          })
          .end(readFileSync(path));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      const sample = readSamples().find(({ path }) => path === 'counting.wav')!;
      const here = (await (await loadCommands()).deviceEncoder()).encode(sample.samples, sample.sampleRate);
      for (const [kind, query] of [
        ['a plain page', ''],
        ['an isolated page, with threads', '?isolated'],
      ] as const) {
        const page = await browser.newPage();
        const problems: string[] = [];
        let workers = 0;
        page.on('pageerror', (error) => problems.push(String(error)));
        page.on('console', (message) => {
          if (message.type() === 'warning') problems.push(message.text());
        });
        page.on('worker', () => workers++);
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html${query}`);
        const heard = page.locator('#heard');
        await heard.filter({ hasText: /\w/ }).waitFor({ timeout: 60_000 });
        t.equal(await heard.textContent(), 'one two three four five', kind);
        t.equal(
          await heard.getAttribute('data-bytes'),
          Buffer.from(here).toString('hex'),
          `${kind}: the same bytes as in Node`,
        );
        t.equal(
          await heard.getAttribute('data-again'),
          'same',
          `${kind}: a longer recording, again and again`,
        );
        const several = query !== '' && (await page.evaluate(() => navigator.hardwareConcurrency)) > 1;
        t.equal(workers > 0, several, `${kind}: ${workers} workers`);
        t.same(problems, [], `${kind}: without a notice`);
        await page.close();
      }
      const onGpu = await browser.newPage();
      await onGpu.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/gpu.html`);
      const heardThere = onGpu.locator('#heard');
      await heardThere.filter({ hasText: /\w/ }).waitFor({ timeout: 60_000 });
      t.equal(await heardThere.textContent(), 'one two three four five', 'on WebGL 2');
      t.equal(
        await heardThere.getAttribute('data-bytes'),
        Buffer.from(here).toString('hex'),
        'on WebGL 2: the same bytes as in Node',
      );
      await onGpu.close();
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/recordings.html`);
      const read = page.locator('#read');
      await read.filter({ hasText: /\w/ }).waitFor({ timeout: 60_000 });
      t.equal(
        await read.textContent(),
        'digits.mp3 43363 8000, digits.ogg 43363 8000, digits.opus 260178 48000, tones-44k.oga 22051 44100',
        'compressed recordings, by the optional packages',
      );
    } finally {
      await browser.close();
      server.close();
    }
  },
);
