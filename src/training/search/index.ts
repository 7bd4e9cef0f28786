/** Search for hyper-parameters. */
export { checkSpace, type Dimension, type PointOf, type Space } from './space.js';
export { type Observation, proposePoint, type TpeOptions } from './tpe.js';
