"""The codewords of a run, by "A run" and what follows it in src/bitstream/README.md; see read_acom.py."""

POINTS = [
    22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911,
    53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
]
PACKED, ORDER_0, ADAPTIVE, CONTEXT = range(4)


class Damaged(Exception):
    pass


def width_of(codewords):
    return (codewords - 1).bit_length()


class RangeDecoder:
    def __init__(self, data):
        self.data, self.at = data, 0
        self.offset = 0
        for _ in range(4):
            self.offset = self.offset * 256 + self.next()
        self.range = 2**32 - 1

    def next(self):
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def take(self, below, size):
        self.offset, self.range = self.offset - below, size
        if self.offset >= self.range:
            raise Damaged('no message')
        while self.range < 2**24:
            self.offset = self.offset * 256 + self.next()
            self.range *= 256

    def share(self, frequencies, bits):
        unit = self.range // 2**bits
        part = min(2**bits - 1, self.offset // unit)
        before = 0
        for v, f in enumerate(frequencies):
            if part < before + f:
                break
            before += f
        self.take(unit * before, self.range - unit * before if before + f == 2**bits else unit * f)
        return v

    def bit(self, p):
        split = (self.range // 2**16) * p
        if self.offset < split:
            self.take(0, split)
            return 1
        self.take(split, self.range - split)
        return 0


def read_order_0(decoder, count, stages, model):
    vectors = []
    for _ in range(count):
        vector = []
        for table in model['tables'][:stages]:
            v = decoder.share(table, 15)
            if v == len(table) - 1:
                unseen = [u for u, f in enumerate(table[:-1]) if f == 0]
                bits = width_of(len(unseen))
                number = decoder.share([1] * 2**bits, bits)
                if number >= len(unseen):
                    raise Damaged('no such escape')
                v = unseen[number]
            vector.append(v)
        vectors.append(vector)
    return vectors


def read_decisions(decoder, count, coding):
    """Coding 2 and 3: `coding` reads a vector that is no repeated one, given those before it."""
    vectors, repeated, r = [], 0, [256, 32768]
    for n in range(count):
        if n > 0:
            state, repeated = repeated, decoder.bit(r[repeated])
            r[state] = max(1, r[state] + ((65536 * repeated - r[state]) >> 4))
        vectors.append(vectors[-1] if repeated else coding(decoder, vectors))
    return vectors


def clamp(p):
    return min(65504, max(32, p))


class Adaptive:
    def __init__(self, stages, model):
        self.codewords = model['codewords']
        self.width = width_of(self.codewords)
        self.trees = [self.start(table) for table in model['tables'][:stages]]
        self.seen = [[0] * 2**self.width for _ in self.trees]

    def start(self, table):
        *frequencies, escape = table
        unseen = frequencies.count(0)
        size = 2**self.width
        below = [0] * (2 * size)
        for v, f in enumerate(frequencies):
            below[size + v] = 64 * f if f > 0 else max(1, 64 * escape // unseen)
        for node in range(size - 1, 0, -1):
            below[node] = below[2 * node] + below[2 * node + 1]
        # Nothing but damage lies below a node of 0.
        return [clamp(65536 * below[2 * node + 1] // max(1, below[node])) for node in range(size)]

    def __call__(self, decoder, before):
        vector = []
        for tree, seen in zip(self.trees, self.seen):
            node = 1
            for _ in range(self.width):
                p = tree[node]
                b = decoder.bit(p)
                m = min(255, 24 + seen[node])
                tree[node] = clamp(p + (((65536 * b - p) * (131072 // (2 * m + 3))) >> 16))
                seen[node] += 1
                node = 2 * node + b
            v = node - 2**self.width
            if v >= self.codewords:
                raise Damaged('no such codeword')
            vector.append(v)
        return vector


def squash(z):
    q, r = divmod(z + 2048, 128)
    return (POINTS[q] * (128 - r) + POINTS[q + 1] * r) // 128


class Context:
    def __init__(self, stages, model):
        self.stages, self.codewords, self.tables = stages, model['codewords'], model['context']
        self.dimensions = self.tables['dimensions']
        self.width = width_of(self.codewords)
        leaves = self.tables['leaves']
        self.codeword_of = [
            {leaves[s * self.codewords + v]: v for v in range(self.codewords)} for s in range(stages)
        ]
        self.drift = [[0] * 2**self.width for _ in range(stages)]

    def row(self, name, number):
        return self.tables[name][number * self.dimensions:(number + 1) * self.dimensions]

    def __call__(self, decoder, before):
        c, nodes = self.codewords, 2**self.width
        h = [0] * self.dimensions
        vector = []
        for s in range(self.stages):
            added = [self.row('previous', s * (c + 1) + (before[-1][s] if before else c))]
            if s < 2:
                added.append(self.row('second', s * (c + 1) + (before[-2][s] if len(before) > 1 else c)))
            if s > 0:
                added.append(self.row('earlier', (s - 1) * c + vector[s - 1]))
            h = [sum(numbers) for numbers in zip(h, *added)]
            drift = self.drift[s]
            node = 1
            for _ in range(self.width):
                at = s * nodes + node
                dot = sum(weight * value for weight, value in zip(self.row('nodes', at), h))
                z = (dot >> 2) + self.tables['biases'][at] + (drift[node] >> 8)
                p = squash(min(2047, max(-2048, z)))
                b = decoder.bit(p)
                drift[node] += (65536 * b - p) >> 5
                node = 2 * node + b
            v = self.codeword_of[s].get(node - nodes)
            if v is None:
                raise Damaged('no such leaf')
            vector.append(v)
        return vector


def read_packed(run, count, stages, codewords):
    width = width_of(codewords)
    bits = ''.join(format(byte, '08b') for byte in run)
    found = [int(bits[i * width:(i + 1) * width] or '0', 2) for i in range(count * stages)]
    if any(v >= codewords for v in found):
        raise Damaged('no such codeword')
    return [found[n * stages:(n + 1) * stages] for n in range(count)]


def read_run(run, count, stages, coding, model):
    packed = (count * stages * width_of(model['codewords']) + 7) // 8
    if len(run) > packed:
        raise Damaged('run too long')
    if len(run) == packed:
        return read_packed(run, count, stages, model['codewords'])
    if coding == PACKED:
        raise Damaged('run too short')
    decoder = RangeDecoder(run)
    if coding == ORDER_0:
        return read_order_0(decoder, count, stages, model)
    models = {ADAPTIVE: Adaptive, CONTEXT: Context}
    return read_decisions(decoder, count, models[coding](stages, model))
