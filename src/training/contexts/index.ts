export { type Codebooks, type ContextOptions, learnContexts, MOST_CONTEXT_BYTES } from './learn.js';
