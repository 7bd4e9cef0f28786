/**
 * Switches relaxed SIMD on for this process, so that its variants are tested: Node 20 has it behind a flag, later ones
 * have it anyway. To be imported before anything asks what the engine can do.
 */
import { setFlagsFromString } from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 22) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
