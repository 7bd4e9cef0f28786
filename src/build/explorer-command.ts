/** Builds the kernel explorer and serves it: run by `npm run explorer`. */
import { buildExplorer, serveExplorer } from './explorer.js';

await buildExplorer();
console.log(`${await serveExplorer()} (Ctrl+C stops it)`);
