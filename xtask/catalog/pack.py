"""The container of the compact catalogue: varint columns, one zstd chunk per service, one shared dictionary.

The reader is `catalog/src/pack.rs` (container) and `catalog/src/codec/` (columns); whoever changes one changes the other and
raises FORMAT. Nothing here knows what a service is.
"""

import zstandard

MAGIC = b"ESCATLG"
FORMAT = 2
LEVEL = 19
DICTIONARY_BYTES = 112_640


def varint(out, number):
    """Appends an unsigned number, seven bits a byte, lowest first."""
    if number < 0:
        raise ValueError(number)
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def zigzag(number):
    """Maps signed to unsigned so that small magnitudes stay small."""
    return number << 1 if number >= 0 else (-number << 1) - 1


class Columns:
    """One chunk: a table of strings in order of first use, and numbered columns of varints.

    A string is written as 0 (absent), 1 (the next new one) or its index + 2: runs of new names cost one repeated byte.
    """

    def __init__(self, count):
        self.columns = [bytearray() for _ in range(count)]
        self.strings = []
        self.known = {}

    def number(self, column, value):
        varint(self.columns[column], value)

    def text(self, column, value):
        if value is None:
            return self.number(column, 0)
        value = str(value)
        if "\0" in value:
            raise ValueError(value)
        at = self.known.get(value)
        if at is None:
            self.known[value] = len(self.strings)
            self.strings.append(value)
            return self.number(column, 1)
        return self.number(column, at + 2)

    def pack(self):
        out = bytearray()
        blob = "".join(s + "\0" for s in self.strings).encode()
        varint(out, len(self.strings))
        varint(out, len(blob))
        out += blob
        varint(out, len(self.columns))
        for column in self.columns:
            varint(out, len(column))
        for column in self.columns:
            out += column
        return bytes(out)


def container(cloud, chunks, extra):
    """The whole file: `chunks` is a sorted list of (service name, number of operations, raw bytes), `extra` one more raw chunk."""
    dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, [raw for _, _, raw in chunks], level=LEVEL, threads=0)

    def compress(raw):
        compressor = zstandard.ZstdCompressor(
            level=LEVEL, dict_data=dictionary, write_content_size=True, write_checksum=True, write_dict_id=False
        )
        return compressor.compress(raw)

    packed = [compress(raw) for _, _, raw in chunks]
    packed_extra = compress(extra)
    words = dictionary.as_bytes()
    head = bytearray()
    varint(head, len(cloud))
    head += cloud.encode()
    varint(head, len(words))
    varint(head, len(packed_extra))
    varint(head, len(extra))
    varint(head, len(chunks))
    for (name, operations, raw), body in zip(chunks, packed, strict=True):
        varint(head, len(name))
        head += name.encode()
        varint(head, operations)
        varint(head, len(body))
        varint(head, len(raw))
    out = bytearray(MAGIC)
    out.append(FORMAT)
    varint(out, len(head))
    return bytes(out + head + words + packed_extra + b"".join(packed))
