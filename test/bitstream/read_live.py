"""Reads live streams by "Live streams" in src/bitstream/README.md; see read_acom.py.

    python3 read_live.py < streams.json

Each stream of the list has: lines (the opening and then messages as they came, in hexadecimal digits), hop (samples of a feature
frame) and features (feature frames of a vector), and the model's codewords, tables and context as read_acom.py has them. Prints a
list with, for each, its header; the indices of each vector up to the end of what came, -1 where it never came; samples of the
recording where the last packet came; and the line at which it was damaged, if it was.
"""
import json
import sys

sys.dont_write_bytecode = True

from read_acom import Cursor, checksum, crc, read_header  # noqa: E402
from read_run import Damaged, read_run  # noqa: E402


def read_opening(opening):
    header, coding, size = read_header(opening)
    if header['varying'] or header['vectorsPerPacket'] == 0 or header['samples'] != 0:
        raise Damaged('a file')
    if crc(opening[:size], 0xFFFF, 0xA001).to_bytes(2, 'big') != opening[size:]:
        raise Damaged('checksum')
    return header, coding


def vectors_of(samples, model):
    """What the model says: feature frames are centred on every hop, the first on the first sample."""
    if samples == 0:
        return 0
    frames = 1 + samples // model['hop']
    return -(-frames // model['features'])


class Receiver:
    def __init__(self, opening, model):
        self.opening, self.model = opening, model
        self.header, self.coding = read_opening(opening)
        self.expected, self.samples, self.indices = 0, None, []

    def number_of(self, byte):
        ahead = (byte - self.expected) % 128
        number = self.expected + ahead
        return number - 128 if ahead >= 96 and number >= 128 else number

    def receive(self, message):
        if self.samples is not None:
            raise Damaged('after the last packet')
        if len(message) > 65536:
            raise Damaged('too long')
        size = 2 if len(message) <= 257 else 4
        body, check = message[:-size], message[-size:]
        c = Cursor(body)
        first = c.byte()
        number = self.number_of(first)
        if checksum(self.opening, body, number) != check:
            raise Damaged('checksum')
        per_packet, stages = self.header['vectorsPerPacket'], self.header['stages']
        count, samples = per_packet, None
        if first >= 128:
            samples = number * per_packet * self.model['hop'] * self.model['features'] + c.varint()
            count = vectors_of(samples, self.model) - number * per_packet
        if number < self.expected:
            return
        if count > per_packet:
            raise Damaged('more vectors than a packet has')
        found = read_run(body[c.at:], count, stages, self.coding, self.model)
        while len(self.indices) < number * per_packet:
            self.indices.append([-1] * stages)
        self.indices += found
        self.samples = samples
        self.expected = number + 1


def read_live(stream):
    lines = [bytes.fromhex(line) for line in stream['lines']]
    try:
        receiver = Receiver(lines[0], stream)
    except Damaged:
        return {'damaged': 0}
    damaged = None
    for n, line in enumerate(lines[1:], 1):
        try:
            receiver.receive(line)
        except Damaged:
            damaged = n
            break
    return {
        'header': receiver.header, 'indices': receiver.indices, 'samples': receiver.samples, 'damaged': damaged,
    }


if __name__ == '__main__':
    json.dump([read_live(stream) for stream in json.load(sys.stdin)], sys.stdout)
