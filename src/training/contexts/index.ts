export { type Codebooks, type ContextOptions, countsOf, learnContexts, MOST_CONTEXT_BYTES } from './learn.js';
