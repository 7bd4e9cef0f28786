"""Decodes many runs at once by "A run" in src/bitstream/README.md, one decision of every run at a time, for
bench:entropy-agreement. Reads the model's file itself; its numbers of the specification are those of test/bitstream/read_run.py,
and nothing is this repository's TypeScript.

    python3 lockstep.py model.safetensors coding stages < runs

`runs`: how many there are, then of each its vectors and its bytes, uint32 least significant first, then the bytes of all. Prints
CRC-32s after each run, over all so far: of codewords (uint16, least significant first), of bytes and of what decisions sum up to.
"""
import json
import sys
import zlib
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[2] / 'test/bitstream'))

import read_run  # noqa: E402
from read_run import Damaged, width_of  # noqa: E402

SQUASH = np.array([read_run.squash(z) for z in range(-2048, 2048)])
DTYPES = {'I32': '<i4', 'I16': '<i2', 'I8': 'i1'}


def read_tensors(path):
    """Those that codewords are coded by, as int64."""
    data = Path(path).read_bytes()
    begin = 8 + int.from_bytes(data[:8], 'little')
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name.startswith('entropy.'):
            first, end = (begin + offset for offset in entry['data_offsets'])
            numbers = np.frombuffer(data[first:end], DTYPES[entry['dtype']]).astype(np.int64)
            tensors[name.removeprefix('entropy.')] = numbers.reshape(entry['shape'])
    return tensors


class RangeDecoders:
    """One for each run. `rows`: the runs that take a symbol, each once."""

    def __init__(self, data, begins, ends):
        self.data, self.at, self.end = np.append(data, np.uint8(0)), begins.copy(), ends
        rows = np.arange(len(begins))
        self.offset = np.zeros(len(rows), np.int64)
        for _ in range(4):
            self.offset = self.offset * 256 + self.next(rows)
        self.range = np.full(len(rows), 2**32 - 1)
        self.sums = np.zeros(len(rows), np.int64)

    def next(self, rows):
        at, end = self.at[rows], self.end[rows]
        self.at[rows] += 1
        return np.where(at < end, self.data[np.minimum(at, end)], 0)

    def take(self, rows, below, size):
        offset = self.offset[rows] - below
        if (offset >= size).any():
            raise Damaged('no message')
        self.offset[rows], self.range[rows] = offset, size
        rows = rows[size < 2**24]
        while rows.size > 0:
            self.offset[rows] = self.offset[rows] * 256 + self.next(rows)
            self.range[rows] *= 256
            rows = rows[self.range[rows] < 2**24]

    def share(self, rows, cumulative, bits):
        """`cumulative`: the parts below each share, and all of them."""
        before = self.range[rows]
        unit = before >> bits
        part = np.minimum(2**bits - 1, self.offset[rows] // unit)
        v = np.searchsorted(cumulative, part, side='right') - 1
        below, end = unit * cumulative[v], cumulative[v + 1]
        self.take(rows, below, np.where(end == 2**bits, before - below, unit * end - below))
        return v

    def bit(self, rows, p):
        before = self.range[rows]
        split = (before >> 16) * p
        b = (self.offset[rows] < split).astype(np.int64)
        self.take(rows, np.where(b, 0, split), np.where(b, split, before - split))
        self.sums[rows] = ((self.sums[rows] ^ (2 * p + b)) * 0x01000193) & 0xFFFFFFFF
        return b


class Order0:
    def __init__(self, tensors, stages, runs):
        self.tables = tensors['frequencies'][:stages]

    def __call__(self, decoders, rows, before, before_that):
        vector = np.empty((rows.size, len(self.tables)), np.int64)
        for s, table in enumerate(self.tables):
            v = decoders.share(rows, np.append(0, np.cumsum(table)), 15)
            escaped = np.flatnonzero(v == len(table) - 1)
            if escaped.size > 0:
                unseen = np.flatnonzero(table[:-1] == 0)
                bits = width_of(unseen.size)
                number = decoders.share(rows[escaped], np.arange(2**bits + 1), bits)
                if (number >= unseen.size).any():
                    raise Damaged('no such escape')
                v[escaped] = unseen[number]
            vector[:, s] = v
        return vector


class Adaptive:
    def __init__(self, tensors, stages, runs):
        tables = tensors['frequencies'].tolist()
        start = read_run.Adaptive(stages, {'codewords': len(tables[0]) - 1, 'tables': tables})
        self.codewords, self.width = start.codewords, start.width
        self.trees = [np.tile(np.array(tree), (runs, 1)) for tree in start.trees]
        self.seen = [np.zeros_like(tree) for tree in self.trees]

    def __call__(self, decoders, rows, before, before_that):
        vector = np.empty((rows.size, len(self.trees)), np.int64)
        for s, (tree, seen) in enumerate(zip(self.trees, self.seen)):
            node = np.ones(rows.size, np.int64)
            for _ in range(self.width):
                p, n = tree[rows, node], seen[rows, node]
                b = decoders.bit(rows, p)
                m = np.minimum(255, 24 + n)
                moved = p + (((65536 * b - p) * (131072 // (2 * m + 3))) >> 16)
                tree[rows, node] = np.clip(moved, 32, 65504)
                seen[rows, node] = n + 1
                node = 2 * node + b
            vector[:, s] = node - 2**self.width
        if (vector >= self.codewords).any():
            raise Damaged('no such codeword')
        return vector


class Context:
    def __init__(self, tensors, stages, runs):
        self.stages = stages
        tables = ('leaves', 'biases', 'nodes', 'previous', 'second', 'earlier')
        self.tables = {name: tensors[f'context.{name}'] for name in tables}
        self.codewords = self.tables['leaves'].shape[1]
        self.width = width_of(self.codewords)
        self.codeword_of = np.full((stages, 2**self.width), -1)
        for s, leaves in enumerate(self.tables['leaves'][:stages]):
            self.codeword_of[s, leaves] = np.arange(self.codewords)
        self.drift = np.zeros((stages, runs, 2**self.width), np.int64)

    def __call__(self, decoders, rows, before, before_that):
        """`before` is None where there is no vector before, and so is `before_that`."""
        nowhere = np.full((rows.size, self.stages), self.codewords)
        before = nowhere if before is None else before
        before_that = nowhere if before_that is None else before_that
        t = self.tables
        h = np.zeros((rows.size, t['nodes'].shape[2]), np.int64)
        vector = np.empty((rows.size, self.stages), np.int64)
        for s in range(self.stages):
            h += t['previous'][s][before[:, s]]
            if s < 2:
                h += t['second'][s][before_that[:, s]]
            if s > 0:
                h += t['earlier'][s - 1][vector[:, s - 1]]
            drift = self.drift[s]
            node = np.ones(rows.size, np.int64)
            for _ in range(self.width):
                drifted = drift[rows, node]
                dot = np.einsum('ij,ij->i', t['nodes'][s][node], h)
                z = (dot >> 2) + t['biases'][s][node] + (drifted >> 8)
                p = SQUASH[np.clip(z, -2048, 2047) + 2048]
                b = decoders.bit(rows, p)
                drift[rows, node] = drifted + ((65536 * b - p) >> 5)
                node = 2 * node + b
            vector[:, s] = self.codeword_of[s][node - 2**self.width]
            if (vector[:, s] < 0).any():
                raise Damaged('no such leaf')
        return vector


def read_coded(decoders, first, counts, rows, coding, repeats, found):
    """Vectors of the runs `rows` into `found`, where run r has `counts[r]` of them from `first[r]` on."""
    r = np.tile(np.array([256, 32768]), (len(counts), 1))
    repeated = np.zeros(len(counts), np.int64)
    for n in range(counts[rows].max(initial=0)):
        rows = rows[counts[rows] > n]
        fresh = rows
        if repeats and n > 0:
            state = repeated[rows]
            p = r[rows, state]
            b = decoders.bit(rows, p)
            r[rows, state] = np.maximum(1, p + ((65536 * b - p) >> 4))
            repeated[rows] = b
            same, fresh = rows[b == 1], rows[b == 0]
            found[first[same] + n] = found[first[same] + n - 1]
        if fresh.size > 0:
            before = found[first[fresh] + n - 1] if n > 0 else None
            before_that = found[first[fresh] + n - 2] if n > 1 else None
            found[first[fresh] + n] = coding(decoders, fresh, before, before_that)


def read_packed(run, count, width):
    bits = np.unpackbits(run)[:count * width].reshape(count, width)
    return bits @ (1 << np.arange(width - 1, -1, -1))


def crcs(parts):
    found = []
    for part in parts:
        found.append(zlib.crc32(part, found[-1] if found else 0))
    return found


def main(model, name, stages):
    stages = int(stages)
    tensors = read_tensors(model)
    file = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
    runs = int(file[:4].view('<u4')[0])
    counts, sizes = file[4:4 + 8 * runs].view('<u4').reshape(runs, 2).T.astype(np.int64)
    data = file[4 + 8 * runs:]
    ends, lasts = np.cumsum(sizes), np.cumsum(counts)
    begins, first = ends - sizes, lasts - counts

    width = width_of(tensors['frequencies'].shape[1] - 1)
    packed = (counts * stages * width + 7) // 8
    if (sizes > packed).any():
        raise Damaged('run too long')
    found = np.zeros((counts.sum(), stages), '<u2')
    for i in np.flatnonzero(sizes == packed):
        numbers = read_packed(data[begins[i]:ends[i]], counts[i] * stages, width)
        found[first[i]:lasts[i]] = numbers.reshape(-1, stages)
    decoders = RangeDecoders(data, begins, ends)
    coding = {'order-0': Order0, 'adaptive': Adaptive, 'context': Context}[name](tensors, stages, runs)
    coded = np.flatnonzero(sizes < packed)
    read_coded(decoders, first, counts, coded, coding, name != 'order-0', found)

    json.dump({
        'codewords': crcs(found[first[i]:lasts[i]].tobytes() for i in range(runs)),
        'bytes': crcs(data[begins[i]:ends[i]].tobytes() for i in range(runs)),
        'decisions': [] if name == 'order-0' else crcs(int(s).to_bytes(4, 'big') for s in decoders.sums),
    }, sys.stdout)


main(*sys.argv[1:])
