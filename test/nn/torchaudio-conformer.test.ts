/** torchaudio's Conformer: what it refuses. Its numbers are compared with torchaudio's in test/oracle. */
import t from 'tap';
import { Parameters, TorchaudioConformer, type TorchaudioConformerConfig } from '../../src/nn/index.js';

const config: TorchaudioConformerConfig = {
  type: 'torchaudio-conformer',
  width: 8,
  heads: 2,
  layers: 1,
  feedForward: 6,
  depthwiseTaps: 3,
  norm: 'batch',
  convolutionFirst: false,
};

t.test('configurations that could be no network', async (t) => {
  const wrong: [object, RegExp][] = [
    [{ heads: 3 }, /width of 8 does not divide into 3 heads/],
    [{ depthwiseTaps: 4 }, /4 depthwise taps have no centre/],
    [{ norm: 'layer' }, /norm is layer, expected batch or group/],
    [{ layers: 1e6 }, /layers is 1000000, expected a whole number from 1 to 256/],
    [{ width: undefined }, /width is undefined/],
  ];
  for (const [change, message] of wrong) {
    const build = () => new TorchaudioConformer(new Parameters(new Map()), { ...config, ...change });
    t.throws(build, { name: 'ModelError', message });
  }
});

t.test('every parameter that is missing, under torchaudio’s names', async (t) => {
  for (const [norm, statistics] of [
    ['batch', true],
    ['group', false],
  ] as const) {
    const asked = new Set<string>();
    const nothing = new (class extends Map {
      override get(name: string) {
        asked.add(name);
        return undefined;
      }
    })();
    const parameters = new Parameters(nothing);
    new TorchaudioConformer(parameters, { ...config, norm });
    t.throws(() => parameters.requireComplete('conformer'), { name: 'ModelError' });
    t.ok([...asked].every((name) => name.startsWith('conformer_layers.0.')));
    t.equal(asked.has('conformer_layers.0.conv_module.sequential.3.running_mean'), statistics, norm);
  }
});
