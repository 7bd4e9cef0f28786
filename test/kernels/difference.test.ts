import t from 'tap';
import { difference, largestDifference } from '../../kernels/check/difference.js';

t.test('the difference of two results', async (t) => {
  t.equal(difference([1, 2, 3], [1, 2, 4]), 0.25);
  t.equal(difference([0, 4], [0.5, 4]), 0.125, 'a part of the largest, which may be equal in both');
  t.equal(difference([Number.NaN, Infinity, 0], [Number.NaN, Infinity, 0]), 0);
  t.equal(difference([1, Number.NaN], [1, 2]), Infinity);
  t.equal(difference([1, Infinity], [1, 2]), Infinity);
  t.equal(difference([1], [1, 2]), Infinity);
  t.same(largestDifference([1, 5, 2], [1, 4, 4]), { error: 0.5, at: 2 });
  t.same(
    largestDifference([0, 1], [0, 0]),
    { error: Infinity, at: 1 },
    'of zeros, anything else is all wrong',
  );
});
