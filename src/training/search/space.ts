/** What a search chooses from: named dimensions, each with values of its own. */
import { UsageError } from '../../tensor/index.js';

export type Dimension =
  /** One of some values without an order. */
  | { readonly kind: 'choice'; readonly values: readonly number[] }
  /** A number between two, both included; `logarithmic` where factors count and not differences. */
  | { readonly kind: 'real'; readonly low: number; readonly high: number; readonly logarithmic?: boolean };

export type Space<N extends string = string> = Readonly<Record<N, Dimension>>;
export type PointOf<S extends Space> = { readonly [N in keyof S]: number };

/** Throws UsageError for a space that holds nothing. */
export function checkSpace(space: Space): void {
  for (const [name, dimension] of Object.entries(space)) {
    if (dimension.kind === 'choice') {
      if (dimension.values.length > 0) continue;
      throw new UsageError(`search: there is nothing to choose from for ${name}`);
    }
    const { low, high, logarithmic } = dimension;
    if (low < high && (!logarithmic || low > 0) && Number.isFinite(high - low)) continue;
    throw new UsageError(
      `search: ${name} is from ${low} to ${high}${logarithmic ? ', logarithmic' : ''}; the first must be the smaller` +
        `${logarithmic ? ', and above 0' : ''}`,
    );
  }
}
