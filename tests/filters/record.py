#!/usr/bin/env python3
"""Asks the running kernel which programs it takes for filters, and what it does with calls.

    python3 tests/filters/record.py > tests/filters/linux-x86_64.jsonl

Each program is loaded by a child that does nothing else. x86_64 only; no privileges are needed.
What is recorded is what tests/filters.rs compares `seclint::filter` with.
"""

import ctypes
import json
import mmap
import os
import platform
import random
import signal
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
SECCOMP, NO_SUCH_CALL = 317, 1000
EINVAL = 22
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def ask(program, arguments=None):
    """Whether the kernel takes a program, and what came of a call under it."""
    memory = mmap.mmap(-1, 4096)
    child = os.fork()
    if child == 0:
        code = ctypes.create_string_buffer(program, max(len(program), 1))
        load = Program(len(program) // 8, ctypes.addressof(code))
        words = [ctypes.c_ulong(word) for word in arguments or []]
        LIBC.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        memory[0] = 1
        if LIBC.syscall(SECCOMP, 1, 0, ctypes.byref(load)) != 0:
            memory[0] = 3 if ctypes.get_errno() == EINVAL else 4
            os._exit(0)
        memory[0] = 2
        if arguments is not None:
            result = LIBC.syscall(NO_SUCH_CALL, *words)
            memory[2:6] = struct.pack("=i", 0 if result == 0 else ctypes.get_errno())
            memory[1] = 1
        os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    signal.alarm(5)
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    assert memory[0] in (1, 2, 3), memory[0]
    taken = memory[0] != 3
    if arguments is None or not taken:
        return taken, None
    if memory[1]:
        return taken, struct.unpack("=i", memory[2:6])[0]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS, status
    return taken, "killed"


def instruction(code, jt=0, jf=0, k=0):
    return struct.pack("=HBBI", code, jt, jf, k)


def write(program, arguments=None, times=1):
    taken, outcome = ask(program * times, arguments)
    record = {"program": program.hex(), "times": times, "taken": taken}
    if outcome is not None:
        record["arguments"] = [f"{word:#x}" for word in arguments]
        record["outcome"] = outcome
    print(json.dumps(record))


PASS = instruction(0x06, k=ALLOW)
CODES = [
    *(0x20, 0x00, 0x01, 0x80, 0x81, 0x60, 0x61, 0x02, 0x03, 0x07, 0x87, 0x06, 0x16, 0x84, 0x05),
    *(base | source for base in range(0x04, 0xA5, 0x10) for source in (0, 8)),
    *(base | source for base in (0x15, 0x25, 0x35, 0x45) for source in (0, 8)),
]


def operations():
    """Every operation, with constants at the bounds."""
    for code in [*range(0x100), 0x120, 0x2000, 0x8006, 0xFFFF]:
        for k in (0, 2, 4, 15, 16, 31, 32, 60, 64, 0xFFFFF000):
            if code in CODES or k in (0, 4):
                yield instruction(0x02, k=0) + instruction(code, k=k) + PASS


def whole():
    """What is judged of a program as a whole."""
    for jt, jf in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (255, 0)]:
        yield instruction(0x15, jt, jf) + PASS * 2
    for k in (0, 1, 2, 3, 0xFFFFFFFE, 0xFFFFFFFF):
        yield instruction(0x05, k=k) + PASS * 2
    # What follows a return is judged as if the return led on to it.
    store, read = instruction(0x02, k=3), instruction(0x60, k=3)
    test = instruction(0x15, 1, 0)
    yield read + PASS
    yield store + read + PASS
    yield test + store + read + PASS
    yield instruction(0x15, 0, 1) + store + read + PASS
    yield store + instruction(0x15, 1, 0) + PASS + read + PASS
    yield instruction(0x15, 0, 2) + PASS + PASS + read + PASS
    yield test + instruction(0x05, k=1) + store + read + PASS
    yield test + store + instruction(0x05, k=1) + PASS + read + PASS
    yield instruction(0x15, 0, 1) + PASS + store + read + PASS
    yield store + instruction(0x05, k=1) + read + instruction(0x60, k=4) + PASS


def mixed(random):
    """Short programs of the operations that there are."""
    length = random.randint(1, 7)
    body = b"".join(
        instruction(
            random.choice(CODES),
            random.choice((0, 0, 1, 2)),
            random.choice((0, 0, 1, 2)),
            random.choice((0, 1, 2, 3, 4, 8, 16)),
        )
        for _ in range(length)
    )
    return body + random.choice((PASS, PASS * 2, instruction(0x16)))


def value(random):
    return random.choice((0, 1, 5, 31, 32, 33, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, random.getrandbits(32)))


def calculation(random):
    """Programs that return, as an errno, twelve bits of what they compute from a call."""
    steps = []
    for _ in range(random.randint(1, 8)):
        kind = random.choice(("load", "load", "calculate", "calculate", "calculate", "move", "branch"))
        if kind == "load":
            steps.append(instruction(0x20, k=4 * random.randint(4, 15)))
        elif kind == "move":
            cell = random.randint(0, 15)
            steps.append(random.choice((
                instruction(0x07),
                instruction(0x87),
                instruction(0x01, k=value(random)),
                instruction(0x81),
                instruction(0x80),
                instruction(0x00, k=value(random)),
                instruction(0x02, k=cell) + instruction(0x61, k=cell),
                instruction(0x03, k=cell) + instruction(0x60, k=cell),
            )))
        elif kind == "branch":
            test = random.choice((0x15, 0x25, 0x35, 0x45)) | random.choice((0, 8))
            steps.append(instruction(test, random.randint(0, 1), random.randint(0, 1), value(random)) + instruction(0x04, k=value(random)))
        else:
            code = random.choice((0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0xA4))
            x = 0 if code == 0x84 else random.choice((0, 8))
            k = value(random)
            if code in (0x64, 0x74) and x == 0:
                k %= 32
            if code == 0x34 and x == 0:
                k = max(k, 1)
            steps.append(instruction(code | x, k=k))
    head = instruction(0x20, k=0) + instruction(0x15, 1, 0, NO_SUCH_CALL) + PASS
    body = b"".join(steps) + instruction(0x74, k=random.choice((0, 12, 20)))
    tail = instruction(0x54, k=0xFFF) + instruction(0x44, k=ERRNO) + instruction(0x16)
    return head + body + tail


def main():
    seeded = random.Random(1)
    print(json.dumps({"kernel": platform.release().split("-")[0], "machine": platform.machine()}))
    for times in (0, 1, 2, 4095, 4096, 4097):
        write(PASS, times=times)
    for program in [*operations(), *whole(), *(mixed(seeded) for _ in range(400))]:
        write(program)
    only = instruction(0x20, k=0) + instruction(0x15, 1, 0, NO_SUCH_CALL) + PASS
    for action in (0x80000000, 0, 0x00030000, 0x00050000, 0x7FC00000, 0x7FF00000, 0x7FFC0000, ALLOW):
        for data in (0, 1, 38, 4095, 4096, 0xFFFF):
            write(only + instruction(0x06, k=action | data), [0] * 6)
    for value_ in (0x00010000, 0x00020000, 0x00040000, 0x00060000, 0x7FFD0000, 0x7FFE0001, 0x80010000, 0xFFFF0000):
        write(only + instruction(0x06, k=value_), [0] * 6)
    for _ in range(600):
        words = [seeded.getrandbits(64) if seeded.random() < 0.5 else value(seeded) for _ in range(6)]
        write(calculation(seeded), words)


if __name__ == "__main__":
    main()
