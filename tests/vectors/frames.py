"""Golden frames, made from docs/wire.md by a program that shares nothing with src/.

    python3 frames.py > frames.json     makes the file
    python3 frames.py check             compares it with what would be made

Each frame is described by its fields and its bytes in hexadecimal. Where the payload is one, `value`
is what it says.
"""

import json
import pathlib
import struct
import sys

FILE = pathlib.Path(__file__).with_name("frames.json")

TELL, ASK, OPEN, REPLY, FAILED, TAKEN, ITEM, END, CREDIT, CANCEL, GRANT = range(1, 12)
NONE, MESSAGEPACK, JSON, CLONE, RAW, STRUCT = range(6)
BY_REFERENCE, WANTS_TAKEN, REPLY_NAME, RING = 1, 2, 4, 8


def crc32c(data):
    """Bit by bit, as the polynomial is written."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def tag(name):
    """FNV-1a, 32 bits."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    return value


def frame(name, kind, codec=NONE, payload=b"", flags=0, reply_name=None, block=None, **fields):
    told = {"value": fields.pop("value")} if "value" in fields else {}
    header = {
        "tag": 0,
        "to": 0,
        "toIncarnation": 0,
        "from": 0,
        "fromActor": 0,
        "epoch": 0,
        "sequence": 0,
        "expires": 0,
        "attempt": 0,
        "argument": 0,
        **fields,
    }
    if reply_name is not None:
        flags |= REPLY_NAME
    if block is not None:
        flags |= BY_REFERENCE
        payload = struct.pack("<5I12x", *block.values())
    name_bytes = (reply_name or "").encode()
    head = struct.pack(
        "<2s4BHII" "6I" "QIII",
        b"PB", 1, kind, codec, flags, len(name_bytes), len(payload), header["tag"],
        header["to"], header["toIncarnation"], header["from"], header["fromActor"],
        header["epoch"], header["sequence"],
        header["expires"], header["attempt"], header["argument"], 0,
    )
    rest = name_bytes + payload
    data = head + struct.pack("<I", crc32c(head + rest)) + rest
    assert len(head) == 60 and len(data) == 64 + len(rest)
    return {
        "name": name,
        "hex": data.hex(),
        "kind": kind,
        "codec": codec,
        "flags": flags,
        **header,
        "replyName": reply_name,
        "payload": "" if block is not None else payload.hex(),
        "block": block,
        **told,
    }


LARGEST = 2**32 - 1
ASKED = {"from": 3, "fromActor": 9, "epoch": 2, "sequence": 77}
ANSWER = {"to": 9, "epoch": 2, "sequence": 77, "from": 1, "fromActor": 5}
NO_SENSOR = {"class": "Error", "message": "no such sensor", "code": "ENOENT"}

FRAMES = [
    frame("tell, MessagePack", TELL, MESSAGEPACK, bytes.fromhex("81a2627902"), value={"by": 2},
          tag=tag("counter.add"), to=5, **{"from": 3}, fromActor=9, epoch=2, sequence=76),
    frame("tell, JSON from outside", TELL, JSON, b'{"celsius":21.5}', value={"celsius": 21.5},
          tag=tag("reading.taken")),
    frame("tell, raw", TELL, RAW, bytes(range(256)), tag=tag("blob.put")),
    frame("tell, raw and empty", TELL, RAW, tag=tag("blob.put")),
    frame("tell, struct { at: i64, celsius: f64 }", TELL, STRUCT,
          struct.pack("<qd", 1_795_500_000_000, -21.5), tag=tag("reading.taken")),
    frame("tell, clone", TELL, CLONE, bytes.fromhex("ff0f6f220262794904" "7b01"), value={"by": 2},
          tag=tag("counter.add")),
    frame("tell, by reference", TELL, MESSAGEPACK, tag=tag("blob.put"), to=5,
          block={"segment": 1, "block": 2, "generation": 3, "byteLength": 1_048_576,
                 "crc": 0xE3069283}),
    frame("tell, every field at its largest", TELL, RAW, b"\xff", flags=WANTS_TAKEN | RING,
          tag=LARGEST, to=LARGEST, toIncarnation=LARGEST, fromActor=LARGEST, epoch=LARGEST,
          sequence=LARGEST, expires=2**53 - 1, attempt=LARGEST, argument=LARGEST,
          **{"from": LARGEST}),
    frame("ask without a payload", ASK, flags=WANTS_TAKEN, tag=tag("counter.total"), to=5,
          toIncarnation=4, expires=1_795_500_000_200, **ASKED),
    frame("ask for replies by a queue", ASK, STRUCT, struct.pack("<I", 7), tag=tag("sensor.read"),
          reply_name="/shop.2", **ASKED),
    frame("ask for replies by a queue of another alphabet", ASK, tag=tag("sensor.read"),
          reply_name="/läger", **ASKED),
    frame("open a stream", OPEN, JSON, b'{"upTo":3}', value={"upTo": 3}, tag=tag("counter.ticks"),
          to=5, argument=16, flags=RING, **ASKED),
    frame("reply", REPLY, MESSAGEPACK, bytes.fromhex("2a"), value=42, tag=tag("counter.total"),
          **ANSWER),
    frame("failed", FAILED, JSON, json.dumps(NO_SENSOR, separators=(",", ":")).encode(),
          value=NO_SENSOR, tag=tag("sensor.read"), **ANSWER),
    frame("taken", TAKEN, tag=tag("counter.total"), **ANSWER),
    frame("item of a stream", ITEM, MESSAGEPACK, bytes.fromhex("cd0100"), value=256,
          tag=tag("counter.ticks"), argument=0, **ANSWER),
    frame("end of a stream", END, tag=tag("counter.ticks"), **ANSWER),
    frame("credit", CREDIT, to=5, argument=8, **ASKED),
    frame("cancel", CANCEL, to=5, **ASKED),
    frame("grant", GRANT, to=0, argument=16, **{"from": 1}, fromActor=5, epoch=1),
]


def main(arguments):
    made = json.dumps(FRAMES, indent=1, ensure_ascii=False) + "\n"
    if arguments != ["check"]:
        sys.stdout.write(made)
        return 0
    assert crc32c(b"123456789") == 0xE3069283
    if FILE.read_text() == made:
        return 0
    print(f"{FILE} is not what {__file__} makes", file=sys.stderr)
    return 1


sys.exit(main(sys.argv[1:]))
