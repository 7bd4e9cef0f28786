"""Reads .acom streams by src/bitstream/README.md; a second opinion for tests, and no part of the package.

    python3 read_acom.py < streams.json

Each stream of the list has: hex, vectors (of the whole recording), tables (per stage: frequencies, the escape last). Prints a
list with, for each, its header and indices per vector (-1 where a packet is damaged), or what is wrong with it.
"""
import json
import sys


class Damaged(Exception):
    pass


def crc(data, state, polynomial):
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (polynomial if state & 1 else 0)
    return state


def checksum(head, body, number):
    data = head + body + ((((number + 1) * 0x9E3779B1) % 2**32).to_bytes(4, 'big'))
    if len(body) <= 255:
        return crc(data, 0xFFFF, 0xA001).to_bytes(2, 'big')
    return (crc(data, 0xFFFFFFFF, 0xEDB88320) ^ 0xFFFFFFFF).to_bytes(4, 'big')


class Cursor:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        if self.at >= len(self.data):
            raise Damaged('ends early')
        self.at += 1
        return self.data[self.at - 1]

    def uint(self, count):
        value = 0
        for _ in range(count):
            value = value * 256 + self.byte()
        return value

    def varint(self):
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise Damaged('varint too long')


def read_header(data):
    c = Cursor(data)
    if c.byte() != 0xAC:
        raise Damaged('magic')
    second = c.byte()
    if second >> 5 != 1:
        raise Damaged('version')
    stages = second & 15
    if stages == 0:
        raise Damaged('no stages')
    fingerprint = c.uint(4)
    first = c.byte()
    if first < 0x80:
        samples = first * 256 + c.byte()
    elif first < 0xC0:
        samples = (first & 0x3F) * 2**16 + c.uint(2)
    else:
        samples = (first & 0x3F) * 2**32 + c.uint(4)
    per_packet = 0
    if second & 16:
        per_packet = c.varint()
        if per_packet == 0:
            raise Damaged('packets of nothing')
    return {'stages': stages, 'fingerprint': fingerprint, 'samples': samples, 'vectorsPerPacket': per_packet}, c.at


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

    def share(self, frequencies, bits):
        unit = self.range // 2**bits
        part = min(2**bits - 1, self.offset // unit)
        before = 0
        for v, f in enumerate(frequencies):
            if part < before + f:
                break
            before += f
        self.offset -= unit * before
        self.range = self.range - unit * before if before + f == 2**bits else unit * f
        if self.offset >= self.range:
            raise Damaged('no message')
        while self.range < 2**24:
            self.offset = self.offset * 256 + self.next()
            self.range *= 256
        return v


def read_run(run, count, table):
    codewords = len(table) - 1
    width = width_of(codewords)
    packed = (count * width + 7) // 8
    if len(run) > packed:
        raise Damaged('run too long')
    if len(run) == packed:
        bits = ''.join(format(byte, '08b') for byte in run)
        found = [int(bits[i * width:(i + 1) * width] or '0', 2) for i in range(count)]
        if any(v >= codewords for v in found):
            raise Damaged('no such codeword')
        return found
    decoder = RangeDecoder(run)
    unseen = [v for v in range(codewords) if table[v] == 0]
    found = []
    for _ in range(count):
        v = decoder.share(table, 15)
        if v == codewords:
            bits = width_of(len(unseen))
            number = decoder.share([1] * 2**bits, bits)
            if number >= len(unseen):
                raise Damaged('no such escape')
            v = unseen[number]
        found.append(v)
    return found


def read_stream(data, vectors, tables):
    header, size = read_header(data)
    head, stages, per_packet = data[:size], header['stages'], header['vectorsPerPacket']
    indices = [[-1] * stages for _ in range(vectors)]

    def take(runs, first, count):
        columns = [read_run(run, count, tables[s]) for s, run in enumerate(runs)]
        for n in range(count):
            indices[first + n] = [column[n] for column in columns]

    if per_packet == 0:
        for check in (2, 4):
            body = data[size:len(data) - check]
            if len(data) - check >= size and checksum(head, body, 0) == data[len(data) - check:]:
                break
        else:
            raise Damaged('checksum')
        c = Cursor(body)
        lengths = [c.varint() for _ in range(stages - 1)]
        lengths.append(len(body) - c.at - sum(lengths))
        runs = []
        for length in lengths:
            runs.append(body[c.at:c.at + length])
            c.at += length
        take(runs, 0, vectors)
        return header, indices
    at = size
    for number in range(-(-vectors // per_packet)):
        c = Cursor(data, at)
        try:
            lengths = [c.varint() for _ in range(stages)]
        except Damaged:
            break
        end = c.at + sum(lengths)
        body = data[at:end]
        check = checksum(head, body, number)
        if data[end:end + len(check)] == check:
            runs = []
            for length in lengths:
                runs.append(data[c.at:c.at + length])
                c.at += length
            first = number * per_packet
            take(runs, first, min(per_packet, vectors - first))
        at = end + len(check)
    return header, indices


def main():
    answers = []
    for stream in json.load(sys.stdin):
        try:
            header, indices = read_stream(bytes.fromhex(stream['hex']), stream['vectors'], stream['tables'])
            answers.append({'header': header, 'indices': indices})
        except Damaged as error:
            answers.append({'damaged': str(error)})
    json.dump(answers, sys.stdout)


main()
