import { multiplyVariants, scaleVariants } from '../../kernels/products/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { elementsOf, requireShape } from './shapes.js';

/** factor · x. */
export function scale(x: Tensor, factor: number): Tensor {
  const elements = elementsOf('scale', 'x', x);
  const y = empty(x.shape);
  kernelOf(scaleVariants)(elements.length, factor, elements, 0, y.data, y.offset);
  return y;
}

/** x z element by element, of one shape. */
export function multiply(x: Tensor, z: Tensor): Tensor {
  requireShape('multiply', 'z', z, x.shape);
  const [a, b] = [elementsOf('multiply', 'x', x), elementsOf('multiply', 'z', z)];
  const y = empty(x.shape);
  kernelOf(multiplyVariants)(a.length, a, 0, b, 0, y.data, y.offset);
  return y;
}
