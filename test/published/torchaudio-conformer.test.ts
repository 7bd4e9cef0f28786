/** torchaudio's Conformer: torchaudio's own numbers through the import, and files that are not what they should be. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  bytesSource,
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../src/checkpoints/index.js';
import { loadCodecModel } from '../../src/codec/index.js';
import type { TorchaudioConformerConfig } from '../../src/nn/index.js';
import { importTorchaudioConformer, loadTorchaudioConformer } from '../../src/published/index.js';
import { flat, type Tensor } from '../../src/tensor/index.js';
import { type Fixture, findFixtures, inputOf, tensorOf } from '../oracle/fixture.js';
import { paddingOf } from '../oracle/networks.js';
import { fuzz } from '../support/fuzz.js';
import { type Saved, torchStateDict } from '../support/published.js';
import { repository, shared } from '../support/shared.js';

const folder = existsSync(shared('oracle')) ? shared('oracle') : join(repository, 'test/fixtures/oracle');
const fixtures = findFixtures(folder)
  .filter(({ kind }) => kind === 'torchaudio_conformer')
  .map((found) => found.load());

/** The weights of a fixture, under names that begin with `prefix`. */
const weightsOf = ({ tensors }: Fixture, prefix = ''): Map<string, Saved> =>
  new Map(
    [...tensors]
      .filter(([name]) => name.startsWith('conformer_layers.'))
      .map(([name, { data, shape }]) => [
        prefix + name,
        { shape, data: data as Float32Array | BigInt64Array },
      ]),
  );

const optionsOf = ({ config }: Fixture) => ({
  heads: config['num_heads'] as number,
  convolutionFirst: config['conv_first'] as boolean,
});

for (const fixture of fixtures) {
  t.test(`${fixture.name}: torchaudio's numbers`, async (t) => {
    const { config } = fixture;
    const imported = await importTorchaudioConformer(torchStateDict(weightsOf(fixture)), optionsOf(fixture));
    t.same(imported.config, {
      type: 'torchaudio-conformer',
      width: config['input_dim'],
      heads: config['num_heads'],
      layers: config['num_layers'],
      feedForward: config['ffn_dim'],
      depthwiseTaps: config['K'],
      norm: config['gn'] === true ? 'group' : 'batch',
      convolutionFirst: config['conv_first'],
    });
    t.equal(imported.prefix, '');
    const conformer = await loadTorchaudioConformer(imported.model);
    const x = inputOf(fixture, 'x');
    const [batch, frames] = x.shape as [number, number, number];
    const mask = paddingOf(fixture, batch, frames);
    const compare = (y: Tensor, name: string) => {
      const expected = flat(tensorOf(fixture, `out.${name}`) as Tensor);
      const got = flat(y);
      t.equal(got.length, expected.length);
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - got[i]!)));
      t.ok(worst < 1e-4, `${name} differs by ${worst}`);
    };
    let y = x;
    conformer.layers.forEach((layer, i) => {
      y = layer.forward(y, mask);
      compare(y, `layer${i + 1}`);
    });
    compare(conformer.forward(x, mask), 'output');
  });
}

const [fixture] = fixtures;
const options = optionsOf(fixture!);
const weights = weightsOf(fixture!);
const { model } = await importTorchaudioConformer(torchStateDict(weights), options);

t.test('as a part of a larger model, from a safetensors file, in half precision', async (t) => {
  for (const prefix of ['encoder.conformer.', 'transcriber.conformer.']) {
    const larger = weightsOf(fixture!, prefix);
    larger.set('predictor.weight', { shape: [2], data: new Float32Array(2) });
    const imported = await importTorchaudioConformer(torchStateDict(larger), options);
    t.equal(imported.prefix, prefix);
    t.ok(imported.report.leftOut.includes('predictor.weight'));
    t.same(imported.model, model, 'the same file');
  }
  const two = new Map([...weightsOf(fixture!, 'first.'), ...weightsOf(fixture!, 'second.')]);
  await t.rejects(importTorchaudioConformer(torchStateDict(two), options), {
    code: 'ACOM_USAGE',
    message: /2 conformers.*"first\.", "second\."; say which is meant \(--prefix\)/,
  });
  const second = await importTorchaudioConformer(torchStateDict(two), { ...options, prefix: 'second.' });
  t.same(second.model, model);
  const safetensors = writeSafetensors(weights);
  t.same((await importTorchaudioConformer(safetensors, options)).model, model);
  const half = await importTorchaudioConformer(torchStateDict(weights, 'F16'), options);
  t.equal(half.model.length, model.length);
});

t.test('files that have no such conformer', async (t) => {
  const changed = (change: (tensors: Map<string, Saved>) => void): Uint8Array => {
    const tensors = new Map(weights);
    change(tensors);
    return torchStateDict(tensors);
  };
  const first = 'conformer_layers.0.self_attn.in_proj_weight';
  const norm = 'conformer_layers.0.final_layer_norm.bias';
  const extra = { shape: [1], data: new Float32Array(1) };
  const cases: [string, Uint8Array, string, RegExp][] = [
    [
      'none',
      changed((tensors) => tensors.delete(first)),
      'ACOM_MODEL',
      /the bytes given: there is no tensor .*no state dict of torchaudio/,
    ],
    [
      'one that lacks a tensor',
      changed((tensors) => tensors.delete(norm)),
      'ACOM_MODEL',
      /1 missing: .*final_layer_norm\.bias/,
    ],
    [
      'one with another shape',
      changed((tensors) => tensors.set(norm, extra)),
      'ACOM_MODEL',
      /1 of another shape/,
    ],
    [
      'one with more',
      changed((tensors) => tensors.set('conformer_layers.0.relative.bias', extra)),
      'ACOM_MODEL',
      /1 unexpected: conformer_layers\.0\.relative/,
    ],
    ['no checkpoint', new Uint8Array(100), 'ACOM_FORMAT', /the bytes given: .*neither safetensors nor/],
  ];
  for (const [what, bytes, code, message] of cases) {
    await t.rejects(importTorchaudioConformer(bytes, options), { code, message }, what);
  }
  await t.rejects(importTorchaudioConformer(torchStateDict(weights), { heads: 7 }), {
    code: 'ACOM_MODEL',
    message: /does not divide into 7 heads/,
  });
  await t.rejects(importTorchaudioConformer(join(t.testdirName, 'none.pt'), options), {
    code: 'ACOM_SOURCE',
    message: /no such file/,
  });
});

/** The imported file with its metadata or tensors changed. */
function rewritten(
  change: (
    metadata: Record<string, string>,
    tensors: Map<string, { data: Float32Array; shape: readonly number[] }>,
  ) => void,
): Uint8Array {
  const { metadata, tensors } = readSafetensors(model.slice());
  const texts = Object.fromEntries(metadata);
  const data = new Map(
    [...tensors].map(([name, x]) => [name, { data: x.data as Float32Array, shape: x.shape }]),
  );
  change(texts, data);
  return writeSafetensors(data, texts);
}

const withConfig = (change: Record<string, unknown>): Uint8Array =>
  rewritten((metadata) => {
    const config = JSON.parse(metadata['config']!) as TorchaudioConformerConfig;
    metadata['config'] = JSON.stringify({ ...config, ...change });
  });

t.test('imported files that are damaged or claim too much', async (t) => {
  const name = 'conformer_layers.0.final_layer_norm.bias';
  const cases: [string, Uint8Array, RegExp][] = [
    [
      'no format',
      rewritten((metadata) => delete metadata['format']),
      /format is not said.*acom import torchaudio-conformer/,
    ],
    [
      'another format',
      rewritten((metadata) => Object.assign(metadata, { format: 'acom network 1' })),
      /format is "acom network 1"/,
    ],
    [
      'no configuration',
      rewritten((metadata) => delete metadata['config']),
      /not that of a torchaudio-conformer/,
    ],
    [
      'a configuration that is no JSON',
      rewritten((metadata) => Object.assign(metadata, { config: '{' })),
      /no JSON/,
    ],
    [
      'a number',
      rewritten((metadata) => Object.assign(metadata, { config: '7' })),
      /not that of a torchaudio-conformer/,
    ],
    ['a missing tensor', rewritten((_, tensors) => tensors.delete(name)), /1 missing/],
    ['one more', rewritten((_, tensors) => tensors.set('x', tensors.get(name)!)), /1 unexpected: x/],
    ['more layers', withConfig({ layers: 3 }), /missing: conformer_layers/],
    ...(['width', 'heads', 'layers', 'feedForward', 'depthwiseTaps'] as const).flatMap((size) =>
      [0, -1, 1.5, 1e9, '4', null].map((value): [string, Uint8Array, RegExp] => [
        `${size} ${value}`,
        withConfig({ [size]: value }),
        new RegExp(`${size} is ${value}, expected a whole number`),
      ]),
    ),
    ['an unknown norm', withConfig({ norm: 'layer' }), /norm is layer/],
    ['no order', withConfig({ convolutionFirst: 'yes' }), /convolutionFirst is yes/],
  ];
  for (const [what, bytes, message] of cases) {
    await t.rejects(loadTorchaudioConformer(bytes), { code: 'ACOM_MODEL', message }, what);
  }
  await t.rejects(loadTorchaudioConformer(model.subarray(0, 500)), { code: 'ACOM_FORMAT' });
  await t.rejects(loadCodecModel(model), { code: 'ACOM_MODEL', message: /"acom encoder 1"/ });
  t.equal((await openSafetensors(bytesSource(model))).metadata.get('format'), 'acom encoder 1');
  const { rejected, crashes } = await fuzz([model], 300, (bytes) => loadTorchaudioConformer(bytes));
  t.same(crashes, []);
  t.ok(rejected > 50, `${rejected} rejected`);
});
