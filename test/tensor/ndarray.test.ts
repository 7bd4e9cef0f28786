import t from 'tap';
import { concatenate } from '../../src/tensor/index.js';

t.test('concatenate', async (t) => {
  const parts = [[1, 2], [], [3], [4, 5, 6]].map((values) => Float32Array.from(values));
  t.same([...concatenate(parts)], [1, 2, 3, 4, 5, 6]);
  t.same([...concatenate([])], []);
  const alone = Float32Array.from([7]);
  const copy = concatenate([alone]);
  copy[0] = 8;
  t.equal(alone[0], 7, 'a new array, even of one part');
  const view = Float32Array.from([0, 1, 2, 3]).subarray(1, 3);
  t.same([...concatenate([view, view])], [1, 2, 1, 2]);
});
