"""A peer that is Python's own multiprocessing.shared_memory, told by lines what to do.

Usage: memory_peer.py NAME. Each line of standard input is one command and gives one line of output.
Bytes are written in hexadecimal.

  create BYTES      SIZE       open              SIZE
  write OFFSET HEX  ok         read OFFSET BYTES HEX
  unlink            ok         end               (nothing, it comes to its end)

Python names an object without the slash of shm_open(3) and adds it itself.
"""

import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory


def untracked(name, **options):
    """Opens memory that Python's resource tracker leaves alone.

    The tracker unlinks what a process has only attached to when that process ends, behind the back
    of whoever made it; Python 3.13 can be told not to, before that it must be taken back.
    """
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False, **options)
    memory = SharedMemory(name, **options)
    resource_tracker.unregister("/" + memory.name, "shared_memory")
    return memory


def unlink(memory):
    """Takes the name away; before Python 3.13 that also tells the tracker, which must know it."""
    if sys.version_info < (3, 13):
        resource_tracker.register("/" + memory.name, "shared_memory")
    memory.unlink()


def main(name):
    memory = None
    for line in sys.stdin:
        command, *arguments = line.split()
        answer = "ok"
        try:
            if command == "create":
                memory = untracked(name, create=True, size=int(arguments[0]))
                answer = memory.size
            elif command == "open":
                memory = untracked(name)
                answer = memory.size
            elif command == "write":
                data = bytes.fromhex(arguments[1])
                offset = int(arguments[0])
                memory.buf[offset : offset + len(data)] = data
            elif command == "read":
                offset, length = map(int, arguments)
                answer = bytes(memory.buf[offset : offset + length]).hex()
            elif command == "unlink":
                unlink(memory)
            elif command == "end":
                break
            else:
                raise ValueError(command)
        except OSError as error:
            answer = type(error).__name__
        print(answer, flush=True)
    if memory is not None:
        memory.close()


main(sys.argv[1])
