/** The one-way rule between rooms, and that each third-party package is imported by one file. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { glob } from 'tinyglobby';
import ts from 'typescript';
import { repository } from './support/shared.js';

/** What each room may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  tensor: ['kernels'],
  entropy: ['tensor'],
  ops: ['kernels', 'tensor'],
  autograd: ['ops', 'kernels', 'tensor'],
  nn: ['ops', 'kernels', 'tensor'],
  audio: ['ops', 'kernels', 'tensor'],
  quantizer: ['ops', 'kernels', 'tensor'],
  checkpoints: ['ops', 'kernels', 'tensor'],
  bitstream: ['tensor'],
  tasks: ['tensor'],
  codec: [
    'bitstream',
    'tasks',
    'checkpoints',
    'quantizer',
    'audio',
    'nn',
    'entropy',
    'ops',
    'kernels',
    'tensor',
  ],
  gpu: ['codec', 'nn', 'ops', 'quantizer', 'kernels', 'tensor'],
  index: ['audio', 'bitstream', 'codec', 'kernels', 'ops', 'tasks', 'tensor'],
  cli: [
    'index',
    'audio',
    'bitstream',
    'checkpoints',
    'codec',
    'entropy',
    'evaluation',
    'gpu',
    'kernels',
    'nn',
    'ops',
    'published',
    'quantizer',
    'tasks',
    'tensor',
    'training',
    'transport',
  ],
  // Name maps from published checkpoints to networks of ours: they know both sides.
  published: ['checkpoints', 'codec', 'nn', 'audio', 'tensor'],
  evaluation: ['bitstream', 'codec', 'quantizer', 'tasks', 'tensor'],
  training: [
    'audio',
    'autograd',
    'checkpoints',
    'codec',
    'entropy',
    'evaluation',
    'kernels',
    'nn',
    'ops',
    'quantizer',
    'tasks',
    'tensor',
  ],
  // From device to cloud: what codec may import, and codec itself.
  transport: [
    'index',
    'codec',
    'bitstream',
    'tasks',
    'checkpoints',
    'quantizer',
    'audio',
    'nn',
    'entropy',
    'ops',
    'kernels',
    'tensor',
  ],
  build: ['kernels', 'explorer'],
  explorer: ['kernels'],
  web: ['audio', 'bitstream', 'codec', 'explorer', 'ops', 'tasks', 'tensor'],
};

/**
 * Rooms that a page loads. A bundler that splits gives an entry every file that it can reach over imports, used or not
 * there; over the index of a room that is the whole room.
 */
const LOADED = [
  'entropy',
  'ops',
  'nn',
  'audio',
  'quantizer',
  'checkpoints',
  'bitstream',
  'tasks',
  'codec',
  'gpu',
  'index',
];

/** Files that may use Node's own modules; everything else runs in a browser. */
const NODE =
  /^src\/(cli|build|transport)\/|^src\/training\/(data|run|recipes)\/|^src\/checkpoints\/open-file\.ts$|^src\/ops\/start-worker\.ts$/;

interface Import {
  readonly from: string;
  readonly target: string;
}

const roomOf = (file: string): string =>
  file.startsWith('kernels/') ? 'kernels' : file === 'src/index.ts' ? 'index' : (file.split('/')[1] ?? '');

const files = (await glob(['src/**/*.ts', 'kernels/**/*.ts'], { cwd: repository })).sort();
const imports: Import[] = files.flatMap((from) => {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(repository, from), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => ({ from, target: fileName }));
});

/** The file that a relative import or an alias names; null for a package. */
function fileOf({ from, target }: Import): string | null {
  if (target === '#open-file') return 'src/checkpoints/open-file.ts';
  if (target === '#start-worker') return 'src/ops/start-worker.ts';
  if (!target.startsWith('.')) return null;
  return relative(repository, join(repository, dirname(from), target)).replace(/\.js$/, '.ts');
}

t.test('every room imports only what it may', async (t) => {
  t.ok(files.length > 50, `${files.length} files`);
  const wrong = imports.flatMap((each) => {
    const file = fileOf(each);
    if (file === null) return [];
    t.ok(files.includes(file), `${each.from} imports ${file}`);
    const [room, target] = [roomOf(each.from), roomOf(file)];
    const allowed = room === target || (ALLOWED[room] ?? []).includes(target);
    return allowed ? [] : [`${each.from} imports ${file}`];
  });
  t.same(wrong, []);
  t.same(
    [...new Set(files.map(roomOf))].filter((room) => !(room in ALLOWED)),
    [],
    'every room has its rule',
  );
});

t.test('what a page loads imports files, not the index of a room', async (t) => {
  const loaded = imports.filter(({ from }) => LOADED.includes(roomOf(from)));
  t.ok(loaded.length > 300, `${loaded.length} imports`);
  const index = /^(kernels|src\/(?!tensor\/).*)\/index\.ts$/;
  t.same(
    loaded.filter((each) => index.test(fileOf(each) ?? '')),
    [],
  );
});

t.test('no file imports itself, over any way round', async (t) => {
  const graph = new Map(files.map((file) => [file, [] as string[]]));
  for (const each of imports) {
    const file = fileOf(each);
    if (file !== null) graph.get(each.from)?.push(file);
  }
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  // open-file.ts needs the type that byte-source.ts defines; types are gone when the code runs.
  t.same(
    cycles.filter((cycle) => !cycle.includes('open-file')),
    [],
  );
});

t.test('each package is imported by one file, and the core has three', async (t) => {
  const owners = new Map<string, Set<string>>();
  for (const { from, target } of imports) {
    if (target.startsWith('.') || target.startsWith('#') || target.startsWith('node:')) continue;
    const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0]!;
    owners.set(name, (owners.get(name) ?? new Set()).add(from));
  }
  for (const [name, by] of owners) t.equal(by.size, 1, `${name} is imported by ${[...by].join(', ')}`);
  const packageJson = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  t.same(Object.keys(packageJson['dependencies']!).sort(), ['fft.js', 'ndarray', 'ndarray-ops']);
  const core = [...owners].filter(([, by]) => ![...by].every((file) => /^src\/(cli|build)\//.test(file)));
  const optional = Object.keys(packageJson['peerDependenciesMeta']!);
  t.same(
    core
      .map(([name]) => name)
      .filter((name) => !optional.includes(name))
      .sort(),
    ['fft.js', 'ndarray', 'ndarray-ops'],
  );
});

t.test('nothing between samples and words needs Node or code made from text', async (t) => {
  const wrong = imports.filter(({ from, target }) => target.startsWith('node:') && !NODE.test(from));
  t.same(wrong, []);
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const each of imports.filter(({ from }) => from === file)) {
      const next = fileOf(each);
      if (next !== null) visit(next);
    }
  };
  visit('src/index.ts');
  t.notOk(reached.has('src/tensor/elementwise.ts'), 'ndarray-ops is not loaded with the package');
  t.same(
    [...reached].filter((file) => file.startsWith('kernels/check/')),
    [],
    'checks of kernels are loaded by the command alone',
  );
  t.ok(reached.has('src/codec/device-encoder.ts'));
});
