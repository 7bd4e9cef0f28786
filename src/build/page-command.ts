/** Builds the browser page and serves its files, without a server that decodes: run by `npm run page`. */
import { buildPage, servePage } from './page.js';

await buildPage();
console.log(`${await servePage()} (Ctrl+C stops it)`);
