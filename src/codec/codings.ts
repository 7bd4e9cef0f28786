/** The models of codewords that a codec model has, by the names that headers have for them. */
import type { Coding } from '../bitstream/header.js';
import { Adaptive } from '../entropy/adaptive.js';
import { Context } from '../entropy/context.js';
import type { ContextTables } from '../entropy/context-tables.js';
import type { FrequencyTable } from '../entropy/frequency-table.js';
import { OrderZero } from '../entropy/order-zero.js';
import { type CodewordModel, decodeRun, encodeRun, type Run } from '../entropy/run-coder.js';
import { ModelMismatchError } from '../tensor/index.js';

export class Codings {
  /** What encoders use where they are not told. */
  readonly best: Coding;
  private readonly orderZero: OrderZero;
  private readonly made = new Map<Coding, CodewordModel>();

  /** `tables`: of each stage. `contexts`: null where the model has learned none. */
  constructor(
    readonly tables: readonly FrequencyTable[],
    private readonly contexts: ContextTables | null,
  ) {
    this.orderZero = new OrderZero(tables);
    this.best = contexts === null ? 'adaptive' : 'context';
  }

  get stages(): number {
    return this.orderZero.stages;
  }

  encode(run: Run, coding: Coding): Uint8Array {
    return encodeRun(run, this.modelOf(coding), coding === 'packed');
  }

  /** The codewords of `vectors` vectors. Throws FormatError for bytes that no encoder made. */
  decode(bytes: Uint8Array, vectors: number, stages: number, coding: Coding): Int32Array {
    return decodeRun(bytes, vectors, stages, this.modelOf(coding), coding === 'packed');
  }

  private modelOf(coding: Coding): CodewordModel {
    let model = this.made.get(coding);
    if (model === undefined) {
      model = this.make(coding);
      this.made.set(coding, model);
    }
    return model;
  }

  private make(coding: Coding): CodewordModel {
    if (coding === 'adaptive') return new Adaptive(this.tables);
    if (coding !== 'context') return this.orderZero;
    if (this.contexts !== null) return new Context(this.contexts);
    throw new ModelMismatchError(
      'this model has no context tables, so it can code by order-0, adaptive or packed only',
    );
  }
}
