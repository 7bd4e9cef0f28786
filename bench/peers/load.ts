/** Installs the peers in bench/peers/node_modules and loads those that run here, each with one thread. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../../test/support/shared.js';
import { OnnxGraph } from './onnx.js';
import type { Jax, Ort, Pffft, Tf } from './packages.js';

const folder = join(repository, 'bench/peers');
const modules = join(folder, 'node_modules');

export interface Peers {
  readonly 'ort-web'?: Ort;
  readonly 'tfjs-wasm'?: Tf;
  readonly 'jax-js'?: Jax;
  readonly pffft?: Pffft;
  readonly 'ort-node'?: Ort;
}
export type PeerName = keyof Peers;

/** The package that a peer is, as its version is reported. */
const PACKAGES: Readonly<Record<PeerName, string>> = {
  'ort-web': 'onnxruntime-web',
  'tfjs-wasm': '@tensorflow/tfjs-backend-wasm',
  'jax-js': '@jax-js/jax',
  pffft: '@echogarden/pffft-wasm',
  'ort-node': 'onnxruntime-node',
};

export interface LoadedPeers {
  readonly peers: Peers;
  /** Name and version of each peer, or why it is missing. */
  readonly versions: readonly {
    readonly name: PeerName;
    readonly package: string;
    readonly version: string;
  }[];
  readonly missing: readonly { readonly name: PeerName; readonly reason: string }[];
}

const versionOf = (name: string): string | null => {
  const file = join(modules, name, 'package.json');
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
};

/** Installs the versions of the lock file, unless they are there. */
function install(report: (line: string) => void): void {
  const { optionalDependencies: wanted } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  if (Object.entries(wanted).every(([name, version]) => versionOf(name) === version)) return;
  report(`installing the peers in ${folder}, about 500 MB ...`);
  // Without scripts: onnxruntime-node would fetch CUDA, and needs nothing else.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) report(`npm ci failed: ${error?.message ?? stderr.trim()}`);
}

const require = createRequire(join(folder, 'package.json'));
const load = async (path: string): Promise<unknown> => import(pathToFileURL(join(modules, path)).href);

const LOADERS: { readonly [N in PeerName]: () => Promise<NonNullable<Peers[N]>> } = {
  async 'tfjs-wasm'() {
    const tf = require('@tensorflow/tfjs-core') as Tf;
    const backend = require('@tensorflow/tfjs-backend-wasm') as { setThreadsCount(count: number): void };
    backend.setThreadsCount(1);
    if (!(await tf.setBackend('wasm'))) throw new Error('the backend wasm does not start');
    await tf.ready();
    return tf;
  },
  async 'ort-node'() {
    return require('onnxruntime-node') as Ort;
  },
  async 'ort-web'() {
    // The main entry and the binary by hand: the entry onnxruntime-web/wasm does not find its binary in Node.
    const ort = (await load('onnxruntime-web/dist/ort.node.min.mjs')) as Ort;
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = readFileSync(join(modules, 'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'));
    // It starts with its first session, and then leaves a global Worker behind, which one thread does not need
    // and from which jax-js would conclude that its own memory is shared.
    const before = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
    const graph = new OnnxGraph();
    graph.output('y', graph.input('x', [1]), [1]);
    const session = await ort.InferenceSession.create(graph.bytes(), { executionProviders: ['wasm'] });
    await session.release();
    if (before === undefined) Reflect.deleteProperty(globalThis, 'Worker');
    return ort;
  },
  async pffft() {
    const { default: create } = (await load('@echogarden/pffft-wasm/dist/simd/pffft.js')) as {
      default(): Promise<Pffft>;
    };
    return create();
  },
  async 'jax-js'() {
    // It looks for a GPU in `navigator`, which Node has from version 21 on.
    if (!('navigator' in globalThis)) {
      Object.assign(globalThis, { navigator: { hardwareConcurrency: 1, userAgent: 'node' } });
    }
    const jax = (await load('@jax-js/jax/dist/index.js')) as Jax;
    await jax.init();
    jax.defaultDevice('wasm');
    return jax;
  },
};

export async function loadPeers(report: (line: string) => void): Promise<LoadedPeers> {
  install(report);
  const peers: Partial<Record<PeerName, unknown>> = {};
  const versions: { name: PeerName; package: string; version: string }[] = [];
  const missing: { name: PeerName; reason: string }[] = [];
  for (const [name, start] of Object.entries(LOADERS) as [PeerName, () => Promise<unknown>][]) {
    const version = versionOf(PACKAGES[name]);
    try {
      if (version === null) throw new Error(`${PACKAGES[name]} is not installed`);
      peers[name] = await start();
      versions.push({ name, package: PACKAGES[name], version });
    } catch (error) {
      missing.push({ name, reason: (error as Error).message.split('\n')[0]! });
    }
  }
  return { peers: peers as Peers, versions, missing };
}
