/** What gpu-places.ts loads in a page. */
import { gpuVerdicts } from './gpu-verdicts.js';

Object.assign(globalThis, { gpuVerdicts });
