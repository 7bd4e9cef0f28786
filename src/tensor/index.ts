export * from './arguments.js';
export * from './errors.js';
export * from './ndarray.js';
export { createNormal, createRandom } from './random.js';
export { drop, empty, keep, scope, scratch, withoutScopes } from './scope.js';
