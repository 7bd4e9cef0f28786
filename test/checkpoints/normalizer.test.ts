import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bytesSource, openCheckpoint, readNormalizer } from '../../src/checkpoints/index.js';
import { repository } from '../support/shared.js';
import { dict, floats, int, tensor, torchZip } from '../support/torch.js';

const folder = join(repository, 'test/fixtures/oracle/checkpoints');
const open = (bytes: Uint8Array) => openCheckpoint(bytesSource(bytes));

t.test('statistics of SpeechBrain, as files hold them today and as they did', async (t) => {
  const { files } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
    files: Record<string, { value: { __dict__: [string, { data: number[] }][] } }>;
  };
  for (const name of ['normalizer_new.ckpt', 'normalizer_old.ckpt']) {
    const { count, mean, deviation } = await readNormalizer(
      await open(new Uint8Array(readFileSync(join(folder, name)))),
    );
    const golden = new Map(files[name]!.value.__dict__);
    t.equal(count, golden.get('count'), name);
    t.same([...mean.data], golden.get('glob_mean')?.data, name);
    t.same([...deviation.data], golden.get('glob_std')?.data, name);
  }
});

t.test('what is no normalizer', async (t) => {
  const two = tensor({ elements: 3, shape: [2], stride: [1] });
  const three = tensor({ elements: 3, shape: [3], stride: [1] });
  const integers = tensor({ key: '1', storage: 'IntStorage', elements: 2, shape: [2], stride: [1] });
  const storages = { 0: floats(1, 2, 3), 1: new Uint8Array(8) };
  for (const [what, value, message] of [
    ['no count', dict(['glob_mean', two], ['glob_std', two]), /no count/],
    ['no deviation', dict(['count', int(1)], ['glob_mean', two]), /no tensor glob_std/],
    [
      'two sizes',
      dict(['count', int(1)], ['glob_mean', two], ['glob_std', three]),
      /2 values and glob_std 3/,
    ],
    ['integers', dict(['count', int(1)], ['glob_mean', integers], ['glob_std', two]), /type I32, not F32/],
  ] as const) {
    const checkpoint = await open(torchZip(value, storages));
    await t.rejects(readNormalizer(checkpoint), { code: 'ACOM_FORMAT', message }, what);
  }
});
