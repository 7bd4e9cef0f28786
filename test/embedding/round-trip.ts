/**
 * Encodes and decodes a bundled sample in a runtime that lacks something, and prints the bytes and the words:
 * what the embedding test runs in processes of their own. The argument names what is missing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/shared.js';

const engine = WebAssembly;
const missing = process.argv[2];

/** An engine that runs modules and compiles none. */
const forbidden = () => {
  throw new engine.CompileError('Wasm code generation disallowed by embedder');
};
if (missing === 'webassembly') Reflect.deleteProperty(globalThis, 'WebAssembly');
if (missing === 'simd') engine.validate = () => false;
if (missing === 'kernels') {
  // A precompiled module, but of another version.
  const { configureKernels } = await import('../../kernels/index.js');
  const { ModuleBuilder } = await import('../../kernels/wasm/assembler.js');
  const module = new ModuleBuilder('old');
  module.function('matmul', { m: 'i32' }, () => undefined);
  configureKernels({ module: new engine.Module(module.bytes({ pages: 1, shared: false })) });
}
if (missing === 'compiling' || missing === 'precompiled') {
  const kernels = await import('../../kernels/index.js');
  const module = new engine.Module(kernels.assembleAllKernels());
  engine.Module = new Proxy(engine.Module, { construct: forbidden });
  engine.compile = forbidden;
  engine.instantiate = forbidden;
  if (missing === 'precompiled') kernels.configureKernels({ module });
}

const { loadCodecModel, readWav } = await import('../../src/index.js');
const { samples, sampleRate } = readWav(readFileSync(join(repository, 'weights/samples/digits.wav')));
const model = await loadCodecModel(readFileSync(join(repository, 'weights/commands.safetensors')));
const bytes = (await model.deviceEncoder()).encode(samples, sampleRate);
const { text } = (await model.cloudDecoder()).decode(bytes);
console.log(JSON.stringify({ bytes: Buffer.from(bytes).toString('hex'), text }));
