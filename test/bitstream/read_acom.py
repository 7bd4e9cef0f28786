"""Reads .acom streams by src/bitstream/README.md; a second opinion for tests, and no part of the package.

    python3 read_acom.py < streams.json

Each stream of the list has: hex, vectors (of the whole recording), codewords (of every stage), tables (of each stage of the
model: frequencies, the escape last) and, for coding 3, context: dimensions, leaves, biases, nodes, previous, second and earlier,
each table a flat list of whole numbers. Prints a list with, for each, its header and the indices of each vector (-1 where a
packet is damaged or carries fewer stages), or what is wrong with it.
"""
import json
import sys

sys.dont_write_bytecode = True

from read_run import Damaged, read_run  # noqa: E402


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
    first = c.byte()
    if first in (0xAD, 0xAE, 0xAF):
        raise Damaged('version')
    if first != 0xAC:
        raise Damaged('magic')
    second = c.byte()
    several, varying, coding, stages = second >> 7, second >> 6 & 1, second >> 4 & 3, second & 15
    if varying and not several:
        raise Damaged('varying without several')
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
    if several:
        per_packet = c.varint()
        if per_packet == 0:
            raise Damaged('packets of nothing')
    header = {
        'stages': stages, 'fingerprint': fingerprint, 'samples': samples, 'vectorsPerPacket': per_packet,
        'coding': ('packed', 'order-0', 'adaptive', 'context')[coding], 'varying': varying == 1,
    }
    return header, coding, c.at


def read_single(data, size, vectors, header, coding, model):
    for check in (2, 4):
        end = len(data) - check
        body = data[size:max(size, end)]
        if end >= size and checksum(data[:size], body, 0) == data[end:]:
            return read_run(body, vectors, header['stages'], coding, model)
    raise Damaged('checksum')


def read_several(data, size, vectors, header, coding, model):
    stages, per_packet = header['stages'], header['vectorsPerPacket']
    indices = [[-1] * stages for _ in range(vectors)]
    at = size
    for number in range(-(-vectors // per_packet)):
        c = Cursor(data, at)
        try:
            length, carried = c.varint(), stages
        except Damaged:
            break
        if header['varying']:
            length, carried = divmod(length, stages + 1)
        end = c.at + length
        check = checksum(data[:size], data[at:end], number)
        if data[end:end + len(check)] == check:
            first = number * per_packet
            count = min(per_packet, vectors - first)
            try:
                found = read_run(data[c.at:end], count, carried, coding, model)
            except Damaged:
                found = [[-1] * carried] * count
            for n, vector in enumerate(found):
                indices[first + n][:carried] = vector
        at = end + len(check)
    return indices


def read_stream(data, vectors, model):
    header, coding, size = read_header(data)
    read = read_several if header['vectorsPerPacket'] else read_single
    return header, read(data, size, vectors, header, coding, model)


def main():
    answers = []
    for stream in json.load(sys.stdin):
        try:
            header, indices = read_stream(bytes.fromhex(stream['hex']), stream['vectors'], stream)
            answers.append({'header': header, 'indices': indices})
        except Damaged as error:
            answers.append({'damaged': str(error)})
    json.dump(answers, sys.stdout)


if __name__ == '__main__':
    main()
