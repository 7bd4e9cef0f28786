/** What an input has reached: the counters that istanbul puts into code, and which of them were ever so high. */
import { basename, dirname } from 'node:path';

interface Counted {
  readonly path: string;
  readonly branchMap: Readonly<
    Record<string, { readonly locations: readonly { readonly start: { readonly line?: number } }[] }>
  >;
  /** Times that each way of each branch was taken, and that each statement was run. */
  readonly b: Readonly<Record<string, number[]>>;
  readonly s: Record<string, number>;
}

/** What a campaign wants to know of an input. */
export interface Coverage {
  /** Forgets what was run until now. */
  reset(): void;
  /** Whether anything was run since that never was, or never so often; it is remembered. */
  isNew(): boolean;
  /** Branches that were ever taken. */
  reached(): number;
  readonly total: number;
}

/** Counts that are much the same have one bucket: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
const BUCKETS = Uint8Array.from({ length: 128 }, (_, n) => {
  const bucket = n < 4 ? n - 1 : n < 8 ? 3 : n < 16 ? 4 : n < 32 ? 5 : 6;
  return n === 0 ? 0 : 1 << bucket;
});
const bucketOf = (count: number): number => (count < 128 ? BUCKETS[count]! : 128);

export interface FileReport {
  readonly file: string;
  readonly branches: number;
  readonly reached: number;
  /** Lines of the compiled file where a branch was never taken. */
  readonly missing: readonly number[];
}

/** Coverage of the code that the hook has counted. One at a time: the counters are the same for all. */
export class CountedCoverage implements Coverage {
  readonly total: number;
  private readonly files: readonly Counted[];
  private readonly ways: {
    readonly counts: number[];
    readonly seen: Uint8Array;
    readonly file: number;
    readonly line: number[];
  }[] = [];
  private readonly statements: { readonly counts: Record<string, number>; readonly seen: Uint8Array }[] = [];

  constructor() {
    const counted = (globalThis as { __coverage__?: Record<string, Counted> }).__coverage__ ?? {};
    this.files = Object.values(counted);
    for (const [file, { b, s, branchMap }] of this.files.entries()) {
      for (const [id, counts] of Object.entries(b)) {
        const line = counts.map((_, way) => branchMap[id]!.locations[way]?.start.line ?? 0);
        this.ways.push({ counts, seen: new Uint8Array(counts.length), file, line });
      }
      this.statements.push({ counts: s, seen: new Uint8Array(Object.keys(s).length) });
    }
    this.total = this.ways.reduce((sum, { counts }) => sum + counts.length, 0);
    this.reset();
  }

  reset(): void {
    for (const { counts } of this.ways) counts.fill(0);
    for (const { counts, seen } of this.statements) for (let i = 0; i < seen.length; i++) counts[i] = 0;
  }

  /** Branches and statements by how often one input has run them, each bucket for itself. */
  buckets(): number {
    let found = 0;
    for (const { seen } of [...this.ways, ...this.statements]) {
      for (const bits of seen) for (let rest = bits; rest > 0; rest >>= 1) found += rest & 1;
    }
    return found;
  }

  isNew(): boolean {
    let found = false;
    for (const { counts, seen } of [...this.ways, ...this.statements]) {
      for (let i = 0; i < seen.length; i++) {
        const bucket = bucketOf((counts as Readonly<Record<number, number>>)[i]!);
        if ((seen[i]! & bucket) !== bucket) {
          seen[i]! |= bucket;
          found = true;
        }
      }
    }
    return found;
  }

  reached(): number {
    return this.ways.reduce((sum, { seen }) => sum + seen.filter((bits) => bits !== 0).length, 0);
  }

  report(): FileReport[] {
    return this.files.map(({ path }, file) => {
      const ways = this.ways.filter((each) => each.file === file);
      const missing = ways.flatMap(({ seen, line }) => line.filter((_, way) => seen[way] === 0));
      const branches = ways.reduce((sum, { seen }) => sum + seen.length, 0);
      return {
        file: `${basename(dirname(path))}/${basename(path)}`,
        branches,
        reached: branches - missing.length,
        missing,
      };
    });
  }
}
