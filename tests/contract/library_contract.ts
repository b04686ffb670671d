/**
 * What the functions of the table promise, whichever driver is behind them: plain FFI, or the native
 * one in the place of some of them.
 */

import { assertEquals } from "../assert.ts";
import { test, type TestOptions } from "../harness.ts";
import { C, STRUCTS } from "../../src/sys/abi.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import type { Library } from "../../src/sys/port.ts";
import type { SYMBOLS } from "../../src/sys/symbols.ts";

const PRIORITY = 7, MESSAGE_BYTES = 16;

/** A library, and a queue for two messages of 16 bytes that has lost its name. */
interface Fixture {
  library: Library<typeof SYMBOLS>;
  mqd: number;
}

const encoder = new TextEncoder();
const cString = (text: string) => encoder.encode(`${text}\0`);

/** Memory whose address stays. */
const settled = (byteLength: number) =>
  new Uint8Array(new SharedArrayBuffer(byteLength, { maxByteLength: byteLength }));

function withQueue(
  library: Library<typeof SYMBOLS>,
  body: (fixture: Fixture) => void,
): void {
  const name = cString(`/contract-${crypto.randomUUID()}`);
  const attributes = new Uint8Array(STRUCTS.mq_attr.bytes), view = new DataView(attributes.buffer);
  view.setBigInt64(STRUCTS.mq_attr.mq_maxmsg, 2n, true);
  view.setBigInt64(STRUCTS.mq_attr.mq_msgsize, BigInt(MESSAGE_BYTES), true);
  const flags = C.O_CREAT | C.O_EXCL | C.O_RDWR | C.O_NONBLOCK | C.O_CLOEXEC;
  const mqd = library.c.mq_open(name, flags, 0o600, attributes);
  assertEquals(mqd >= 0, true);
  try {
    library.c.mq_unlink(name);
    body({ library, mqd });
  } finally {
    library.c.mq_close(mqd);
  }
}

/** Registers the suite. @param make Gives the library; called in each test. */
export function libraryContract(
  label: string,
  make: () => Library<typeof SYMBOLS>,
  options: TestOptions = {},
): void {
  const test_ = (name: string, body: (fixture: Fixture) => void) =>
    test(`${label}: ${name}`, options, () => withQueue(make(), body));

  test_("mq_send() and mq_receive() carry bytes and priority", ({ library, mqd }) => {
    const { c, word, addressOf } = library;
    const priority = settled(4), into = settled(MESSAGE_BYTES);
    assertEquals(c.mq_send(mqd, encoder.encode("hello"), word(5), PRIORITY), 0);
    assertEquals(c.mq_receive(mqd, into, word(MESSAGE_BYTES), word(addressOf(priority))), 5);
    assertEquals(new TextDecoder().decode(into.slice(0, 5)), "hello");
    assertEquals(new Uint32Array(priority.buffer)[0], PRIORITY);
  });

  test_("mq_send_at() and mq_receive_at() do the same by address", ({ library, mqd }) => {
    const { c, word, addressOf } = library;
    const priority = settled(4), bytes = settled(MESSAGE_BYTES), into = settled(MESSAGE_BYTES);
    bytes.set(encoder.encode("hello"));
    const at = (view: Uint8Array) => word(addressOf(view));
    assertEquals(c.mq_send_at(mqd, at(bytes), word(5), PRIORITY), 0);
    assertEquals(c.mq_receive_at(mqd, at(into), word(MESSAGE_BYTES), at(priority)), 5);
    assertEquals(new TextDecoder().decode(into.slice(0, 5)), "hello");
  });

  test_("an empty message is one", ({ library, mqd }) => {
    const { c, word, addressOf } = library;
    const priority = settled(4), into = settled(MESSAGE_BYTES);
    assertEquals(c.mq_send(mqd, new Uint8Array(0), word(0), PRIORITY), 0);
    assertEquals(c.mq_receive(mqd, into, word(MESSAGE_BYTES), word(addressOf(priority))), 0);
    assertEquals(new Uint32Array(priority.buffer)[0], PRIORITY);
  });

  test_("a refusal is -1, and errno() says why", ({ library, mqd }) => {
    const { c, errno, word, addressOf } = library;
    const place = word(addressOf(settled(4))), into = settled(MESSAGE_BYTES);
    const letter = encoder.encode("x"), long = new Uint8Array(MESSAGE_BYTES + 1);
    assertEquals([c.mq_receive(mqd, into, word(MESSAGE_BYTES), place), errno()], [
      -1,
      ERRNO.EAGAIN,
    ]);
    assertEquals([c.mq_receive(mqd, into, word(1), place), errno()], [-1, ERRNO.EMSGSIZE]);
    assertEquals([c.mq_send(mqd, long, word(long.length), 0), errno()], [-1, ERRNO.EMSGSIZE]);
    assertEquals([c.mq_send(mqd, letter, word(1), 32768), errno()], [-1, ERRNO.EINVAL]);
    assertEquals([c.mq_send(-1, letter, word(1), 0), errno()], [-1, ERRNO.EBADF]);
    c.mq_send(mqd, letter, word(1), 0);
    c.mq_send(mqd, letter, word(1), 0);
    assertEquals([c.mq_send(mqd, letter, word(1), 0), errno()], [-1, ERRNO.EAGAIN]);
    // One that every driver leaves to C, right behind it.
    assertEquals([c.close(-1), errno()], [-1, ERRNO.EBADF]);
  });

  test_("sem_open() gives 0 where it is refused, and errno() says why", ({ library }) => {
    const { c, errno } = library;
    const missing = cString(`/contract-${crypto.randomUUID()}`);
    assertEquals([c.sem_open(missing, 0, 0, 0), errno()], [0n, ERRNO.ENOENT]);
    const address = c.sem_open(missing, C.O_CREAT | C.O_EXCL, 0o600, 3);
    try {
      assertEquals(address !== 0n, true);
      const value = new Int32Array(1);
      assertEquals(c.sem_getvalue(address, new Uint8Array(value.buffer)), 0);
      assertEquals([value[0], c.sem_close(address)], [3, 0]);
    } finally {
      c.sem_unlink(missing);
    }
  });

  test_("mremap() gives an address, or all ones and errno()", ({ library }) => {
    const { c, errno, word, addressOf } = library;
    const page = settled(65536), address = addressOf(page);
    const zeros = C.MAP_FIXED | C.MAP_ANONYMOUS | C.MAP_SHARED;
    const protection = C.PROT_READ | C.PROT_WRITE;
    assertEquals(c.mmap_fixed(address, 65536n, protection, zeros, -1, 0n) === -1, false);
    page[0] = 9;
    const second = c.mremap(address, word(0), word(4096), C.MREMAP_MAYMOVE);
    assertEquals(new Uint8Array(library.viewOf(second, 1))[0], 9);
    assertEquals(c.munmap(second, word(4096)), 0);
    const refused = c.mremap(address + 1n, word(0), word(4096), C.MREMAP_MAYMOVE);
    assertEquals([BigInt.asIntN(64, refused), errno()], [-1n, ERRNO.EINVAL]);
  });
}
