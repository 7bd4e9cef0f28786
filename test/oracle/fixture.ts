/**
 * Golden fixtures made by running SpeechBrain and PyTorch: a JSON file with kind and configuration, and
 * safetensors files with inputs (`in.`), outputs (`out.`, `out64.`) and weights. Found by what their JSON
 * says, never by file name or size.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { Parameters } from '../../src/nn/index.js';
import type { NdArray, Tensor, TypedArray } from '../../src/tensor/index.js';

export interface Fixture {
  readonly name: string;
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Anything else that the JSON holds. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, NdArray<TypedArray>>;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every fixture of a folder, tensors unread until `load`. */
export function findFixtures(
  folder: string,
): { readonly name: string; readonly kind: string; load(): Fixture }[] {
  const found: { name: string; kind: string; load(): Fixture }[] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json')) continue;
    const json: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    if (!isRecord(json) || typeof json['kind'] !== 'string' || !Array.isArray(json['files'])) continue;
    const name = String(json['name'] ?? file.replace(/\.json$/, ''));
    const kind = json['kind'];
    found.push({
      name,
      kind,
      load() {
        const tensors = new Map<string, NdArray<TypedArray>>();
        for (const part of json['files'] as string[]) {
          for (const [key, value] of readSafetensors(readFileSync(join(folder, part))).tensors) {
            tensors.set(key, value);
          }
        }
        return { name, kind, config: (json['config'] ?? {}) as Fixture['config'], json, tensors };
      },
    });
  }
  return found;
}

export function tensorOf(fixture: Fixture, name: string): NdArray<TypedArray> {
  const found = fixture.tensors.get(name);
  if (!found) throw new Error(`${fixture.name} has no tensor ${name}`);
  return found;
}

export const inputOf = (fixture: Fixture, name: string): Tensor => tensorOf(fixture, `in.${name}`) as Tensor;

export const parametersOf = (fixture: Fixture): Parameters => new Parameters(fixture.tensors);
